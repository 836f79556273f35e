import ipaddr from 'ipaddr.js';

/** Which addresses webhooks may go to besides public ones; CIDRs. */
export interface TargetRules {
  privateTargets: readonly string[];
  httpsOnly: boolean;
}

type Address = ReturnType<typeof ipaddr.process>;

/** Public by its number, but a cloud provider's own: it answers every machine with that machine's secrets. */
const metadataAddresses = ['168.63.129.16'];
/** The addresses that the Internet routes. All others in IPv6 are special, and some contain an IPv4 address. */
const globalUnicast = ipaddr.parseCIDR('2000::/3');

function matches(address: Address, cidr: string): boolean {
  const [network, bits] = ipaddr.parseCIDR(cidr);
  return network.kind() === address.kind() && address.match([network, bits] as never);
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast' || metadataAddresses.includes(address.toString())) return false;
  return address.kind() === 'ipv4' || address.match(globalUnicast as never);
}

/** Whether a message may be sent to an address as a resolver gives it. IPv4 in IPv6 counts as what it carries. */
export function isAllowedAddress(text: string, { privateTargets }: Pick<TargetRules, 'privateTargets'>): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return isPublic(address) || privateTargets.some((cidr) => matches(address, cidr));
}

export function isCidr(text: string): boolean {
  return ipaddr.isValidCIDR(text);
}

/** The literal address of a URL's host; undefined for a name. The parser has turned odd notations into dotted ones. */
export function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return ipaddr.isValid(bare) ? bare : undefined;
}

const isLocalName = (hostname: string): boolean => /(^|\.)localhost\.?$/.test(hostname);

/** Why a URL is refused; undefined when it is allowed. Names are checked again, with their addresses, at each delivery. */
export function findUrlFault(text: string, rules: TargetRules): string | undefined {
  const url = URL.parse(text);
  const protocols = rules.httpsOnly ? ['https:'] : ['https:', 'http:'];
  if (url === null || !protocols.includes(url.protocol))
    return `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  if (url.username !== '' || url.password !== '') return 'must not contain credentials';
  if (url.hash !== '') return 'must not have a fragment';
  const address = isLocalName(url.hostname) ? '127.0.0.1' : literalAddress(url);
  if (address !== undefined && !isAllowedAddress(address, rules))
    return 'must not lead to a private, loopback or other special address';
  return undefined;
}
