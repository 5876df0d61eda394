import { RegistryPattern } from '../../functions/guardrails/kubernetes/image-policy';
import { parseImageReference } from '../../functions/guardrails/kubernetes/image-reference';

function allows(pattern: string, image: string): boolean {
  const reference = parseImageReference(image);
  if ('invalid' in reference) throw new Error(`${image} ${reference.invalid}`);
  return new RegistryPattern(pattern).allows(reference);
}

describe('an entry of spec.images.registries', () => {
  it.each([
    ['ghcr.io', 'ghcr.io/acme/web:1'],
    ['GHCR.io', 'ghcr.io/acme/web'],
    ['ghcr.io/acme', 'ghcr.io/acme/web'],
    ['ghcr.io/acme', 'ghcr.io/acme/team/web'],
    ['ghcr.io/acme/web', 'ghcr.io/acme/web@sha256:' + 'a'.repeat(64)],
    ['ghcr.io/acme/', 'ghcr.io/acme/web'],
    ['ghcr.io/acme/*', 'ghcr.io/acme/team/web'],
    ['ghcr.io/*/web', 'ghcr.io/acme/web'],
    ['localhost:5000', 'localhost:5000/web'],
    ['docker.io', 'nginx'],
    ['docker.io', 'bitnami/redis'],
    ['index.docker.io', 'nginx:1.27'],
    ['docker.io/library', 'nginx'],
    ['docker.io/library/nginx', 'docker.io/nginx'],
    ['docker.io/nginx', 'nginx:1.27'],
    ['docker.io/nginx', 'docker.io/nginx/nginx-ingress'],
    ['docker.io/bitnami', 'bitnami/redis'],
    ['*.dkr.ecr.*.amazonaws.com', '123.dkr.ecr.eu-west-1.amazonaws.com/web'],
  ])('%s allows %s', (pattern, image) => {
    expect(allows(pattern, image)).toBe(true);
  });

  it.each([
    ['ghcr.io', 'ghcr.io.example.com/acme/web'],
    ['ghcr.io', 'nginx'],
    ['ghcr.io/acme', 'ghcr.io/acme-other/web'],
    ['ghcr.io/acme', 'quay.io/ghcr.io/acme'],
    ['ghcr.io/*/web', 'ghcr.io/acme/team/web'],
    ['docker.io/library', 'bitnami/redis'],
    ['docker.io/bitnami', 'redis'],
    ['localhost', 'localhost:5000/web'],
    ['ghcrXio', 'ghcr.io/web'],
    ['ghcr.io', 'ghcrxio/web'],
  ])('%s does not allow %s', (pattern, image) => {
    expect(allows(pattern, image)).toBe(false);
  });
});
