/**
 * Writes what the manifests take from the contract, which service may call which (network policies) and which gRPC
 * services clients outside the cluster may reach (routes), and what they and scaling.md take from sizes.ts.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policies, serviceNames, type ServiceName } from '#libs/contract';
import { stringify } from 'yaml';
import { pgBouncerIni, roleSettings } from './generate-pgbouncer.ts';
import { sizeComponent, sizeTable } from './generate-sizes.ts';
import { sizes, type SizeName } from './sizes.ts';

const grpcPort = (service: ServiceName): number => 50_051 + serviceNames.indexOf(service);
const rpcPort = 8080;
const podOf = (service: ServiceName | 'gateway'): string => `taskflow-${service}`;
const selectorOf = (service: ServiceName | 'gateway'): object => ({
  matchLabels: { 'app.kubernetes.io/name': podOf(service) },
});

/** "taskflow.tasks.v1.TasksService" is served by tasks. Undefined for what every service serves by itself. */
const ownerOf = (grpcService: string): ServiceName | undefined =>
  serviceNames.find((name) => grpcService.startsWith(`taskflow.${name}.`));

const all = [...policies.values()];
const calleesOf = (caller: ServiceName): ServiceName[] =>
  serviceNames.filter(
    (owner) =>
      owner !== caller && all.some(({ service, callers }) => ownerOf(service) === owner && callers.includes(caller)),
  );
const callersOf = (callee: ServiceName): ServiceName[] =>
  serviceNames.filter((caller) => calleesOf(caller).includes(callee));

/** Those with at least one method for somebody who is not a service. */
const publicServicesOf = (owner: ServiceName): string[] =>
  [
    ...new Set(
      all
        .filter(({ service, access }) => ownerOf(service) === owner && access !== 'service')
        .map(({ service }) => service),
    ),
  ].sort();

const publicServices = serviceNames.filter((service) => publicServicesOf(service).length > 0);

function edgesOf(service: ServiceName): object {
  const callers = [...callersOf(service), ...(publicServices.includes(service) ? (['gateway'] as const) : [])].map(
    (caller) => ({ podSelector: selectorOf(caller) }),
  );
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: podOf(service) },
    spec: {
      podSelector: selectorOf(service),
      policyTypes: ['Ingress', 'Egress'],
      // A rule without `from` would let everybody in.
      ...(callers.length > 0 && { ingress: [{ from: callers, ports: [{ port: 'grpc' }] }] }),
      egress: calleesOf(service).map((callee) => ({
        to: [{ podSelector: selectorOf(callee) }],
        ports: [{ port: grpcPort(callee) }],
      })),
    },
  };
}

/** What the Gateway API asks implementations to put on the pods that they start for a Gateway, wherever those run. */
const gatewayPods = { matchLabels: { 'gateway.networking.k8s.io/gateway-name': 'taskflow' } };

/** Our gateway passes calls on to the public services, and does nothing else. */
const edgesOfOurs = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: podOf('gateway') },
  spec: {
    podSelector: selectorOf('gateway'),
    policyTypes: ['Ingress', 'Egress'],
    egress: publicServices.map((callee) => ({
      to: [{ podSelector: selectorOf(callee) }],
      ports: [{ port: grpcPort(callee) }],
    })),
  },
};

/** Gateways reach the public services and ours, from the namespace of their controller or from this one. */
const fromGateway = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'taskflow-from-gateway' },
  spec: {
    podSelector: {
      matchExpressions: [
        { key: 'app.kubernetes.io/name', operator: 'In', values: [...publicServices, 'gateway' as const].map(podOf) },
      ],
    },
    policyTypes: ['Ingress'],
    ingress: [
      {
        from: [
          {
            namespaceSelector: {
              matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['gateway'] }],
            },
          },
          { podSelector: gatewayPods },
        ],
        // Each pod has one of them.
        ports: [{ port: 'grpc' }, { port: 'rpc' }],
      },
    ],
  },
};

/** A gateway's pods belong to the platform, which decides what else they may reach, such as their control plane. */
const gatewayItself = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'taskflow-ingress-gateway' },
  spec: { podSelector: gatewayPods, policyTypes: ['Ingress', 'Egress'], ingress: [{}], egress: [{}] },
};

function routesOf(service: ServiceName): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: podOf(service) },
    spec: {
      parentRefs: [{ name: 'taskflow', sectionName: 'grpc' }],
      rules: [
        {
          matches: publicServicesOf(service).map((name) => ({ method: { service: name } })),
          backendRefs: [{ name: podOf(service), port: grpcPort(service) }],
        },
      ],
    },
  };
}

const routeOfOurs = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata: { name: podOf('gateway') },
  spec: {
    parentRefs: [{ name: 'taskflow', sectionName: 'http' }],
    rules: [{ backendRefs: [{ name: podOf('gateway'), port: rpcPort }] }],
  },
};

type Write = (file: string, source: string, documents: object[]) => void;

function writeTo(directory: string): Write {
  return (file, source, documents) => {
    const path = join(directory, 'kubernetes/components', file);
    mkdirSync(join(path, '..'), { recursive: true });
    const header = `# Generated from ${source} by npm run manifests; not edited by hand.\n`;
    writeFileSync(path, header + documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n'));
  };
}

function writeSizes(directory: string, write: Write): void {
  const names = Object.keys(sizes) as SizeName[];
  for (const name of names) {
    for (const [file, documents] of Object.entries(sizeComponent(name, sizes[name])))
      write(`sizes/${name}/${file}`, 'sizes.ts', documents);
  }
  const scaling = join(directory, 'scaling.md');
  const tables = names.map((name) => sizeTable(name, sizes[name])).join('\n\n');
  writeFileSync(
    scaling,
    readFileSync(scaling, 'utf8').replace(/(<!-- sizes\.ts -->\n)[^]*(\n<!-- end -->)/, `$1${tables}$2`),
  );
}

function writePgBouncer(directory: string): void {
  const folder = join(directory, 'pgbouncer');
  mkdirSync(folder, { recursive: true });
  const source = 'Generated from kubernetes/sizes.ts and libs/db by npm run manifests; not edited by hand.';
  writeFileSync(join(folder, 'pgbouncer.ini'), `; ${source}\n${pgBouncerIni('production', sizes.production)}`);
  writeFileSync(join(folder, 'roles.sql'), `-- ${source}\n${roleSettings()}`);
}

/** `directory` holds kubernetes/ and scaling.md. */
export function generateManifests(directory: string): void {
  const write = writeTo(directory);
  write('network-policies/edges.yaml', 'the contract', [...serviceNames.map(edgesOf), edgesOfOurs]);
  write('network-policies/gateway.yaml', 'the contract', [fromGateway, gatewayItself]);
  write('gateway/routes.yaml', 'the contract', [...publicServices.map(routesOf), routeOfOurs]);
  writeSizes(directory, write);
  writePgBouncer(directory);
}
