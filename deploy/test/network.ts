/** Who may reach whom, by the NetworkPolicies of one namespace, as the API defines their effect. */
import { BlockList, isIPv6 } from 'node:net';
import {
  podOf,
  selects,
  workloadsIn,
  type Labels,
  type NetworkPolicy,
  type Peer,
  type PolicyPort,
} from './kubernetes-kinds.ts';
import type { Manifest } from './kubernetes-schema.ts';

/** A pod, of any namespace, or without labels whatever has an address. */
export interface Endpoint {
  name: string;
  namespace?: string;
  labels?: Labels;
  /** Named ports. */
  ports?: Record<string, number>;
  /** For what is no pod. */
  address?: string;
}

export interface Connection {
  from: Endpoint;
  to: Endpoint;
  port: number;
  protocol?: 'TCP' | 'UDP';
}

const labelsOfNamespace = (name: string): Labels => ({ 'kubernetes.io/metadata.name': name });

/** Every pod that the manifests start, with the ports that it opens. */
export function endpointsOf(manifests: readonly Manifest[]): Endpoint[] {
  return workloadsIn(manifests).map((workload) => ({
    name: workload.metadata.name,
    namespace: workload.metadata.namespace ?? '',
    labels: workload.spec.template.metadata.labels,
    ports: Object.fromEntries(
      podOf(workload).containers.flatMap(({ ports = [] }) =>
        ports.map(({ name, containerPort }) => [name, containerPort]),
      ),
    ),
  }));
}

function holds(cidr: string, address: string): boolean {
  const [network = '', bits] = cidr.split('/');
  const list = new BlockList();
  list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

function meets({ podSelector, namespaceSelector, ipBlock }: Peer, other: Endpoint, namespace: string): boolean {
  if (ipBlock !== undefined) {
    return (
      other.address !== undefined &&
      holds(ipBlock.cidr, other.address) &&
      !(ipBlock.except ?? []).some((part) => holds(part, other.address ?? ''))
    );
  }
  if (other.labels === undefined) return false;
  const inNamespace =
    namespaceSelector === undefined
      ? other.namespace === namespace
      : selects(namespaceSelector, labelsOfNamespace(other.namespace ?? ''));
  return inNamespace && (podSelector === undefined || selects(podSelector, other.labels));
}

interface Rule {
  peers: Peer[] | undefined;
  ports: PolicyPort[] | undefined;
}

/** A rule without peers means everybody, one without ports every port. */
function opens(
  { peers, ports }: Rule,
  other: Endpoint,
  { to, port, protocol = 'TCP' }: Connection,
  namespace: string,
): boolean {
  const isPort = (open: PolicyPort): boolean =>
    (open.protocol ?? 'TCP') === protocol &&
    (typeof open.port === 'number' ? open.port : to.ports?.[open.port]) === port;
  return (
    (ports === undefined || ports.some(isPort)) &&
    (peers === undefined || peers.some((peer) => meets(peer, other, namespace)))
  );
}

function passes(policies: readonly NetworkPolicy[], connection: Connection, direction: 'Ingress' | 'Egress'): boolean {
  const [self, other] = direction === 'Ingress' ? [connection.to, connection.from] : [connection.from, connection.to];
  const { labels, namespace } = self;
  const own = policies.filter(
    ({ metadata, spec }) =>
      labels !== undefined &&
      metadata.namespace === namespace &&
      spec.policyTypes.includes(direction) &&
      selects(spec.podSelector, labels),
  );
  if (own.length === 0) return true;
  const rulesOf = ({ spec }: NetworkPolicy): Rule[] =>
    direction === 'Ingress'
      ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  return own.flatMap(rulesOf).some((rule) => opens(rule, other, connection, namespace ?? ''));
}

/** Whether the connection is let out where it begins and let in where it ends. */
export function isAllowed(policies: readonly NetworkPolicy[], connection: Connection): boolean {
  return passes(policies, connection, 'Egress') && passes(policies, connection, 'Ingress');
}
