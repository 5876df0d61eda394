import fc from 'fast-check';
import { isIP } from 'node:net';
import { IpAddress, contains, readIpRange } from '../../functions/guardrails/network/ip-range';

const SEED = 20_251_125;

/** Addresses, and what is nearly one. */
const ADDRESSES = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc
    .array(
      fc.constantFrom('0', '1', '00', '01', '255', '256', 'ffff', 'FFFFF', 'g', '.', ':', '::', '10.0.0.1'),
      {
        maxLength: 12,
      },
    )
    .map((parts) => parts.join('')),
  fc
    .array(fc.constantFrom('0', '1', 'abcd', '12345', '1.2.3.4', ''), { maxLength: 9 })
    .map((groups) => groups.join(':')),
);

test(`what an address is agrees with Node.js on 20,000 strings (seed ${SEED})`, () => {
  fc.assert(
    fc.property(ADDRESSES, (ip) => {
      // An address is in the range of all addresses of its version; any other text is in neither.
      const isAddress = ['0.0.0.0/0', '::/0']
        .flatMap((all) => readIpRange(all) ?? [])
        .some((all) => contains(all, new IpAddress(ip)));
      expect([ip, isAddress]).toEqual([ip, isIP(ip) !== 0]);
    }),
    { seed: SEED, numRuns: 20_000 },
  );
});

test.each([
  ['10.0.0.0/8', true],
  ['10.0.0.1/8', false],
  ['010.0.0.0/8', false],
  ['10.0.0.0/08', false],
  ['10.0.0.0/33', false],
  ['10.0.0/8', false],
  ['10.0.0.0', false],
  ['::/0', true],
  ['2001:db8::/32', true],
  ['2001:db8::1/32', false],
  ['2001:db8::/129', false],
  ['fe80::1%eth0/128', false],
  ['::ffff:10.0.0.0/104', false],
  ['1:2:3:4:5:6:7:8::/128', false],
])('%s is a range that the API takes: %s', (cidr, isRange) => {
  expect(readIpRange(cidr) !== undefined).toBe(isRange);
});
