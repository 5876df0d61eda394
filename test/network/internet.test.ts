import { IpAddress } from '../../functions/guardrails/network/ip-range';
import { isInternet } from '../../functions/guardrails/network/required-traffic';

test.each([
  ['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0'],
  ['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255', '192.0.1.0'],
  ['192.0.3.0', '192.88.98.255', '192.167.255.255', '192.169.0.0', '198.17.255.255', '198.20.0.0'],
  [
    '223.255.255.255',
    '8.8.8.8',
    '2000::',
    '2600:1f18::1',
    '2a00:1450:4001::1',
    '64:ff9b::808:808',
    '2620:4f:8000::1',
  ],
])('public: %s ...', (...addresses) => {
  expect(addresses.filter((one) => !isInternet(new IpAddress(one)))).toEqual([]);
});

test.each([
  ['this network, loopback', ['0.0.0.0', '0.255.255.255', '127.0.0.1', '127.255.255.255', '::', '::1']],
  [
    'private use',
    ['10.0.0.0', '10.255.255.255', '172.16.0.0', '172.31.255.255', '192.168.0.0', '192.168.255.255'],
  ],
  ['shared address space', ['100.64.0.0', '100.127.255.255']],
  [
    'link local, where cloud metadata is',
    ['169.254.0.0', '169.254.169.254', '169.254.255.255', 'fe80::1', 'febf::1'],
  ],
  ['unique local, where cloud metadata is', ['fc00::', 'fd00:ec2::254', 'fdff:ffff::1']],
  ['protocol assignments', ['192.0.0.0', '192.0.0.192', '192.0.0.255', '2001::1', '2001:1ff:ffff::1']],
  ['documentation', ['192.0.2.1', '198.51.100.255', '203.0.113.0', '2001:db8::1', '3fff:fff:ffff::1']],
  ['benchmarking', ['198.18.0.0', '198.19.255.255', '2001:2::1']],
  ['6to4', ['192.88.99.1', '2002:a00:1::1']],
  ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
  ['reserved, broadcast', ['240.0.0.0', '255.255.255.255']],
  [
    'discard, dummy, local translation, segment routing',
    ['100::1', '100:0:0:1::1', '64:ff9b:1::1', '5f00::1'],
  ],
])('not public: %s', (_, addresses) => {
  expect(addresses.filter((one) => isInternet(new IpAddress(one)))).toEqual([]);
});
