import { BlockList, isIP, isIPv6 } from 'node:net';

/** Cuts the port off grpc-js's "address:port" and the IPv6 wrapping off an IPv4 address. */
export function withoutPort(peer: string): string {
  const address = isIP(peer) === 0 ? peer.replace(/:\d+$/, '') : peer;
  return address.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');
}

function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/**
 * Finds the client's address: the peer itself, or, when the peer is a trusted proxy, the nearest address in x-forwarded-for
 * that is not one. Headers of anybody else are ignored. Throws when a range is not CIDR notation.
 */
export function createPeerResolver(trustedProxies: readonly string[]): (peer: string, forwardedFor: string | undefined) => string {
  const trusted = toBlockList(trustedProxies);
  const isTrusted = (address: string): boolean => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  return (peer, forwardedFor) => {
    const hops = (forwardedFor ?? '').split(',').map((hop) => withoutPort(hop.trim()));
    let address = withoutPort(peer);
    while (isTrusted(address)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  };
}
