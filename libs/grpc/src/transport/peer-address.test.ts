import { describe, expect, it } from '@jest/globals';
import { createPeerResolver } from './peer-address.ts';

describe('the address of the client', () => {
  it.each([
    ['198.51.100.7:5000', '198.51.100.7'],
    ['::ffff:198.51.100.7:5000', '198.51.100.7'],
    ['::1:5000', '::1'],
    ['2001:db8::7:5000', '2001:db8::7'],
    ['unknown', 'unknown'],
  ])('of the peer %s is %s', (peer, address) => {
    expect(createPeerResolver(['10.0.0.0/8', 'fd00::/8'])(peer, '203.0.113.9')).toBe(address);
  });

  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['203.0.113.9, 10.1.2.3, fd00::7', '203.0.113.9'],
    ['203.0.113.9:80', '203.0.113.9'],
    ['[2001:db8::7]:80', '2001:db8::7'],
    ['203.0.113.9, nonsense', '10.0.0.1'],
    ['', '10.0.0.1'],
    [undefined, '10.0.0.1'],
  ])('behind a trusted proxy with x-forwarded-for %j is %s', (forwardedFor, address) => {
    expect(createPeerResolver(['10.0.0.0/8', 'fd00::/8'])('10.0.0.1:5000', forwardedFor)).toBe(address);
  });

  it('cannot be configured with an invalid range', () => {
    expect(() => createPeerResolver(['10.0.0.0/99'])).toThrow();
    expect(() => createPeerResolver(['proxy'])).toThrow();
  });
});
