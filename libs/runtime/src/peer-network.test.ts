import { describe, expect, it } from '@jest/globals';
import { toPeerNetwork } from './peer-network.ts';

describe('what counts as one peer', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:DB8:1::9', '2001:db8:1:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:cb00:7109', '203.0.113.9'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['', ''],
  ])('%s is %s', (address, network) => {
    expect(toPeerNetwork(address)).toBe(network);
  });
});
