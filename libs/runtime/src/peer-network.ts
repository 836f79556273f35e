import { isIPv6 } from 'node:net';

/** The 16-bit groups of one side of "::". */
function groupsOf(side: string): number[] {
  if (side === '') return [];
  return side.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function expand(address: string): number[] {
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

const isMappedIpv4 = (groups: readonly number[]): boolean => groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;

/**
 * What counts as one peer. An IPv4 address is one; of IPv6 it is the /64, since whoever has one address of it has all.
 * Anything else (a socket's path) is one as it is.
 */
export function toPeerNetwork(address: string): string {
  if (!isIPv6(address)) return address;
  const groups = expand(address);
  if (isMappedIpv4(groups)) return groups.slice(6).flatMap((group) => [group >> 8, group & 255]).join('.');
  return `${groups.slice(0, 4).map((group) => group.toString(16)).join(':')}::/64`;
}
