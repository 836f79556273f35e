/**
 * Writes what the manifests take from the contract: which service may call which (network policies), and which gRPC
 * services clients outside the cluster may reach (routes).
 *
 *   node deploy/kubernetes/generate.ts [DIRECTORY]     DIRECTORY holds components/; this folder unless given
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { policies, serviceNames, type ServiceName } from '#libs/contract';
import { stringify } from 'yaml';

const grpcPort = (service: ServiceName): number => 50_051 + serviceNames.indexOf(service);
const podOf = (service: ServiceName): string => `taskflow-${service}`;
const selectorOf = (service: ServiceName): object => ({ matchLabels: { 'app.kubernetes.io/name': podOf(service) } });

/** "taskflow.tasks.v1.TasksService" is served by tasks. Undefined for what every service serves by itself. */
const ownerOf = (grpcService: string): ServiceName | undefined => serviceNames.find((name) => grpcService.startsWith(`taskflow.${name}.`));

const all = [...policies.values()];
const calleesOf = (caller: ServiceName): ServiceName[] =>
  serviceNames.filter((owner) => owner !== caller && all.some(({ service, callers }) => ownerOf(service) === owner && callers.includes(caller)));
const callersOf = (callee: ServiceName): ServiceName[] => serviceNames.filter((caller) => calleesOf(caller).includes(callee));

/** Those with at least one method for somebody who is not a service. */
const publicServicesOf = (owner: ServiceName): string[] => [
  ...new Set(all.filter(({ service, access }) => ownerOf(service) === owner && access !== 'service').map(({ service }) => service)),
].sort();

const gatewayNamespace = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'gateway' } } };

function edgesOf(service: ServiceName): object {
  const fromOutside = publicServicesOf(service).length > 0 ? [gatewayNamespace] : [];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: podOf(service) },
    spec: {
      podSelector: selectorOf(service),
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [...callersOf(service).map((caller) => ({ podSelector: selectorOf(caller) })), ...fromOutside], ports: [{ port: 'grpc' }] }],
      egress: calleesOf(service).map((callee) => ({ to: [{ podSelector: selectorOf(callee) }], ports: [{ port: grpcPort(callee) }] })),
    },
  };
}

function routesOf(service: ServiceName): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GRPCRoute',
    metadata: { name: podOf(service) },
    spec: {
      parentRefs: [{ name: 'taskflow' }],
      rules: [
        {
          matches: publicServicesOf(service).map((name) => ({ method: { service: name } })),
          backendRefs: [{ name: podOf(service), port: grpcPort(service) }],
        },
      ],
    },
  };
}

const directory = process.argv[2] ?? import.meta.dirname;
const header = '# Generated from the contract by deploy/kubernetes/generate.ts; not edited by hand.\n';
const write = (file: string, documents: object[]): void =>
  writeFileSync(join(directory, 'components', file), header + documents.map((document) => stringify(document)).join('---\n'));

write('network-policies/edges.yaml', serviceNames.map(edgesOf));
write('gateway/routes.yaml', serviceNames.filter((service) => publicServicesOf(service).length > 0).map(routesOf));
