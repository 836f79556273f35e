import { describe, expect, it } from '@jest/globals';
import { policies, serviceNames, type ServiceName } from '#libs/contract';
import type { NetworkPolicy } from './kubernetes-kinds.ts';
import { endpointsOf, isAllowed, type Connection, type Endpoint } from './network.ts';
import { ofKind, overlays, renderOverlays, type Overlay } from './render.ts';

const rendered = renderOverlays();
const grpcPorts = { auth: 50_051, users: 50_052, tasks: 50_053, scheduler: 50_054 } as const;
const httpPorts = { auth: 9465, users: 9466, tasks: 9467, scheduler: 9468, gateway: 9469 } as const;
const rpcPort = 8080;

const elsewhere = (
  namespace: string,
  labels: Record<string, string> = { app: 'x' },
  ports: Record<string, number> = {},
): Endpoint => ({ name: `a pod in ${namespace}`, namespace, labels, ports });
const names = elsewhere('kube-system', { 'k8s-app': 'kube-dns' });
const nameCache: Endpoint = { name: 'the name cache of the node', address: '169.254.20.10' };
const data = elsewhere('taskflow-data');
const monitoring = elsewhere('monitoring');
const webhook: Endpoint = { name: 'a public address', address: '203.0.113.9' };
const webhook6: Endpoint = { name: 'a public IPv6 address', address: '2001:db8::9' };
const metadataServer: Endpoint = { name: 'the metadata of the cloud', address: '169.254.169.254' };
const database: Endpoint = { name: 'a private address', address: '10.1.2.3' };
const stranger = elsewhere('default');
const outsiders = [
  names,
  nameCache,
  data,
  monitoring,
  webhook,
  webhook6,
  metadataServer,
  database,
  stranger,
  elsewhere('gateway'),
  elsewhere('kube-system'),
];

const isDeclared = (from: ServiceName | undefined, to: ServiceName | undefined): boolean =>
  from !== to &&
  [...policies.values()].some(
    ({ service, callers }) =>
      service.startsWith(`taskflow.${String(to)}.`) && callers.some((caller) => caller === from),
  );

const serviceOf = ({ name }: Endpoint): ServiceName | undefined =>
  serviceNames.find((service) => name === `taskflow-${service}`);
const grpcPortOf = (end: Endpoint): number[] => [grpcPorts[serviceOf(end) ?? 'auth']];
const isOurGateway = ({ name }: Endpoint): boolean => name === 'taskflow-gateway';
const httpPortOf = (end: Endpoint): number[] => [httpPorts[serviceOf(end) ?? 'gateway']];
const isMeasured = (end: Endpoint): boolean => serviceOf(end) !== undefined || isOurGateway(end);
const isOfDatabase = ({ name }: Endpoint): boolean =>
  serviceNames.some((service) => name.startsWith(`taskflow-${service}`)) || name === 'taskflow-provision';

/** What TaskFlow needs, said once more and by hand: from whom, to whom, on which ports. */
const needs: {
  from: (end: Endpoint) => boolean;
  to: (end: Endpoint, from: Endpoint) => boolean;
  on: (to: Endpoint) => number[];
  udp?: boolean;
}[] = [
  {
    from: ({ name }) => name.startsWith('taskflow-'),
    to: (end) => end === names || end === nameCache,
    on: () => [53],
    udp: true,
  },
  {
    from: (end) => serviceOf(end) !== undefined,
    to: (end, from) => isDeclared(serviceOf(from), serviceOf(end)),
    on: grpcPortOf,
  },
  { from: ({ namespace }) => namespace === 'gateway', to: (end) => serviceOf(end) !== undefined, on: grpcPortOf },
  { from: ({ namespace }) => namespace === 'gateway', to: isOurGateway, on: () => [rpcPort] },
  { from: isOurGateway, to: (end) => serviceOf(end) !== undefined, on: grpcPortOf },
  { from: (end) => end === monitoring, to: isMeasured, on: httpPortOf },
  { from: isMeasured, to: (end) => end === monitoring, on: () => [4318] },
  { from: isOfDatabase, to: (end) => end === data, on: () => [5432, 6379] },
  { from: isOfDatabase, to: ({ name }) => name === 'taskflow-postgres', on: () => [5432] },
  { from: (end) => serviceOf(end) !== undefined, to: ({ name }) => name === 'taskflow-redis', on: () => [6379] },
  {
    from: (end) => serviceOf(end) === 'scheduler',
    to: (end) => end === webhook || end === webhook6,
    on: () => [443, 465, 587],
  },
];

const isWanted = ({ from, to, port, protocol = 'TCP' }: Connection): boolean =>
  needs.some(
    (need) =>
      (protocol === 'TCP' || need.udp === true) && need.from(from) && need.to(to, from) && need.on(to).includes(port),
  );

const show = ({ from, to, port, protocol = 'TCP' }: Connection): string =>
  `${from.name} → ${to.name} ${String(port)}/${protocol}`;
const ports = [53, 80, 443, 465, 587, 4318, 5432, 6379, 8080, ...Object.values(grpcPorts), ...Object.values(httpPorts)];

function connectionsOf(overlay: Overlay): Connection[] {
  const pods = endpointsOf(rendered[overlay]);
  const pairs = [...pods, ...outsiders].flatMap((from) =>
    [...pods, ...outsiders]
      .filter((to) => to !== from && (pods.includes(from) || pods.includes(to)))
      .map((to) => ({ from, to })),
  );
  return pairs.flatMap((pair) => [
    ...ports.map((port) => ({ ...pair, port })),
    { ...pair, port: 53, protocol: 'UDP' as const },
  ]);
}

describe.each(overlays)('on the network of the overlay %s', (overlay) => {
  const network = ofKind<NetworkPolicy>(rendered[overlay], 'NetworkPolicy');
  const connections = connectionsOf(overlay);

  it('everything that TaskFlow needs is let through, and nothing else', () => {
    expect(connections.filter((connection) => isAllowed(network, connection)).map(show)).toEqual(
      connections.filter(isWanted).map(show),
    );
    expect(connections.filter(isWanted).length).toBeGreaterThan(50);
  });

  it('every pod finds names', () => {
    for (const from of endpointsOf(rendered[overlay])) {
      for (const to of [names, nameCache])
        for (const protocol of ['UDP', 'TCP'] as const)
          expect([show({ from, to, port: 53 }), isAllowed(network, { from, to, port: 53, protocol })]).toEqual([
            expect.anything(),
            true,
          ]);
    }
  });

  it('a gateway whose pods run beside it reaches the public services, and clients, names and its control plane stay in its reach', () => {
    const pods = endpointsOf(rendered[overlay]);
    const gateway: Endpoint = {
      name: 'gateway',
      namespace: pods[0]?.namespace ?? '',
      labels: { 'gateway.networking.k8s.io/gateway-name': 'taskflow' },
    };
    for (const service of serviceNames) {
      const to = pods.find(({ name }) => name === `taskflow-${service}`) as Endpoint;
      expect(isAllowed(network, { from: gateway, to, port: grpcPorts[service] })).toBe(true);
      expect(isAllowed(network, { from: gateway, to, port: httpPorts[service] })).toBe(false);
    }
    expect(isAllowed(network, { from: webhook, to: gateway, port: 443 })).toBe(true);
    expect(isAllowed(network, { from: gateway, to: elsewhere('istio-system'), port: 15_012 })).toBe(true);
    expect(isAllowed(network, { from: gateway, to: names, port: 53, protocol: 'UDP' })).toBe(true);
  });
});

describe('the judgement of network policies', () => {
  const pod = (name: string): Endpoint => ({ name, namespace: 'n', labels: { app: name }, ports: { web: 80 } });
  const policy = (spec: Partial<NetworkPolicy['spec']>): NetworkPolicy => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'p', namespace: 'n' },
    spec: { podSelector: {}, policyTypes: ['Ingress'], ...spec },
  });
  const connection = { from: pod('a'), to: pod('b'), port: 80 };

  it('lets everything through without a policy, and nothing by one without rules', () => {
    expect(isAllowed([], connection)).toBe(true);
    expect(isAllowed([policy({})], connection)).toBe(false);
    expect(isAllowed([policy({ policyTypes: ['Egress'] })], connection)).toBe(false);
    expect(isAllowed([policy({ podSelector: { matchLabels: { app: 'c' } } })], connection)).toBe(true);
  });

  it('adds policies up, takes an empty rule for everybody, and a peer without a namespace for its own', () => {
    expect(isAllowed([policy({}), policy({ ingress: [{}] })], connection)).toBe(true);
    const fromA = policy({
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'a' } } }], ports: [{ port: 'web' }] }],
    });
    expect(isAllowed([fromA], connection)).toBe(true);
    expect(isAllowed([fromA], { ...connection, port: 81 })).toBe(false);
    expect(isAllowed([fromA], { ...connection, protocol: 'UDP' })).toBe(false);
    expect(isAllowed([fromA], { ...connection, from: { ...pod('a'), namespace: 'm' } })).toBe(false);
    const outside = policy({
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8'] } }] }],
    });
    expect(
      ['203.0.113.1', '10.1.1.1'].map((address) =>
        isAllowed([outside], { from: pod('a'), to: { name: 'x', address }, port: 1 }),
      ),
    ).toEqual([true, false]);
  });
});
