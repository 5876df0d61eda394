// What a host name or an address means to a pod.
import { readHost, readRange } from '../../functions/guardrails/network/hosts';
import { printIpRange } from '../../functions/guardrails/network/ip-range';

test.each([
  ['api', 'local api'],
  ['API', 'local api'],
  ['redis-master', 'local redis-master'],
  ['db.data', 'service db data'],
  ['otel-collector.observability', 'service otel-collector observability'],
  ['db.dev', 'service db dev'],
  ['cart.shop', 'service cart shop'],
  ['db.data.svc', 'service db data'],
  ['db.io.svc', 'service db io'],
  ['db.data.svc.cluster.local', 'service db data'],
  ['db.data.svc.cluster.local.', 'service db data'],
  ['db-0.db.data', 'service db data'],
  ['db-0.db.data.svc.cluster.local', 'service db data'],
  ['stripe.com', 'internet'],
  ['api.stripe.com', 'internet'],
  ['EXAMPLE.COM', 'internet'],
  ['sentry.io', 'internet'],
  ['api.example.app', 'internet'],
  ['a.b.c.d.eu', 'internet'],
  ['s3.eu-central-1.amazonaws.com', 'internet'],
  ['db.corp.internal', 'private'],
  ['printer.local', 'private'],
  ['vault.service.consul', 'private'],
  ['52.1.2.3', 'internet'],
  ['[2606:4700::1]', 'internet'],
  ['10.0.0.5', 'private'],
  ['192.168.1.1', 'private'],
  ['fd00::1', 'private'],
  ['169.254.169.254', 'private'],
  ['localhost', undefined],
  ['x.localhost', undefined],
  ['127.0.0.1', undefined],
  ['0.0.0.0', undefined],
  ['::1', undefined],
  ['[::]', undefined],
  ['8080', undefined],
  ['a b', undefined],
  ['*.example.com', undefined],
  ['<?>', undefined],
  ['', undefined],
  ['..', undefined],
])('%s is %s', (text, expected) => {
  const host = readHost(text);
  const parts = host && [host.is, 'name' in host ? host.name : '', 'namespace' in host ? host.namespace : ''];
  expect(parts?.filter((part) => part !== '').join(' ')).toBe(expected);
});

test.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.0.0.5', '10.0.0.5/32'],
  ['[fd00::/8]', 'fd00::/8'],
  ['[fd00::1]', 'fd00::1/128'],
  ['10.0.0.5/8', undefined],
  ['db.data', undefined],
])('the range %s is %s', (text, expected) => {
  const range = readRange(text);
  expect(range && printIpRange(range)).toBe(expected);
});
