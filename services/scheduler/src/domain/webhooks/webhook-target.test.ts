import { describe, expect, it } from '@jest/globals';
import { findUrlFault, isAllowedAddress } from './webhook-target.ts';

const rules = { privateTargets: [], httpsOnly: false };

describe('an address', () => {
  it.each(['93.184.215.14', '8.8.8.8', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '::ffff:8.8.8.8'])(
    '%s is public',
    (address) => expect(isAllowedAddress(address, rules)).toBe(true),
  );

  it.each([
    ['this host', '0.0.0.0'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['private', '10.1.2.3'],
    ['private', '172.16.0.1'],
    ['private', '192.168.1.1'],
    ['CGNAT', '100.64.0.1'],
    ['link-local and metadata', '169.254.169.254'],
    ['metadata in CGNAT', '100.100.100.200'],
    ['metadata', '168.63.129.16'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['documentation', '192.0.2.1'],
    ['benchmarking', '198.18.0.1'],
    ['IPv6 unspecified', '::'],
    ['IPv6 loopback', '::1'],
    ['ULA', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['multicast', 'ff02::1'],
    ['mapped', '::ffff:127.0.0.1'],
    ['mapped in hex', '::ffff:7f00:1'],
    ['IPv4-compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:7f00:1::'],
    ['site-local', 'fec0::1'],
    ['documentation', '2001:db8::1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('%s is refused: %s', (_name, address) => expect(isAllowedAddress(address, rules)).toBe(false));

  it('is allowed when it is listed, and only then', () => {
    const listed = { privateTargets: ['127.0.0.0/8', 'fd00::/8'] };
    expect(
      ['127.0.0.1', '::ffff:127.0.0.1', 'fd12::1', '10.0.0.1', '::1'].map((address) =>
        isAllowedAddress(address, listed),
      ),
    ).toEqual([true, true, true, false, false]);
  });
});

describe('a URL', () => {
  it.each(['https://example.com/hook?a=b', 'http://example.com:8080', 'https://8.8.8.8/'])('%s is right', (url) =>
    expect(findUrlFault(url, rules)).toBeUndefined(),
  );

  it.each([
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://localhost/',
    'http://a.localhost:80/',
    'http://LOCALHOST./',
    'http://①②⑦.⓪.⓪.①/',
    'http://169.254.169.254/latest/meta-data',
    'http://0/',
  ])('%s leads to a special address, however it is written', (url) =>
    expect(findUrlFault(url, rules)).toContain('special address'),
  );

  it.each([
    ['ftp://example.com/', 'starts with'],
    ['file:///etc/passwd', 'starts with'],
    ['example.com', 'starts with'],
    ['', 'starts with'],
    ['https://', 'starts with'],
    ['https://user:password@example.com/', 'credentials'],
    ['https://user@example.com/', 'credentials'],
    ['https://example.com/#part', 'fragment'],
  ])('%s is refused: %s', (url, fault) => expect(findUrlFault(url, rules)).toContain(fault));

  it('must be https in production', () => {
    expect(findUrlFault('http://example.com/', { ...rules, httpsOnly: true })).toBe(
      'must be a URL that starts with https://',
    );
  });
});
