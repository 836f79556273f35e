/** The parts of the Kubernetes objects that the tests read. */
import type { Manifest } from './kubernetes-schema.ts';

export type Labels = Record<string, string>;

export interface Probe {
  grpc?: { port: number; service?: string };
  httpGet?: { path: string; port: string };
}
export interface Container {
  name: string;
  image: string;
  args?: string[];
  ports?: { name: string; containerPort: number }[];
  env?: {
    name: string;
    value?: string;
    valueFrom?: { secretKeyRef: { name: string; key: string; optional?: boolean } };
  }[];
  envFrom?: { configMapRef: { name: string } }[];
  volumeMounts?: { name: string; mountPath: string; readOnly?: boolean }[];
  securityContext: unknown;
  resources: { requests: Labels; limits: Labels };
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop: { sleep: { seconds: number } } };
}
/** Of cert-manager. */
export interface Certificate extends Manifest {
  spec: { secretName: string; dnsNames?: string[]; usages?: string[]; issuerRef: { kind: string; name: string } };
}
interface SecretItem {
  key: string;
  path: string;
}
export interface Volume {
  name: string;
  secret?: { secretName: string; items?: SecretItem[] };
  projected?: { sources: { secret: { name: string; items: SecretItem[] } }[] };
  configMap?: { name: string };
  persistentVolumeClaim?: { claimName: string };
}
export interface PodSpec {
  serviceAccountName?: string;
  automountServiceAccountToken: boolean;
  securityContext: object;
  terminationGracePeriodSeconds?: number;
  priorityClassName?: string;
  imagePullSecrets?: { name: string }[];
  containers: Container[];
  volumes?: Volume[];
  topologySpreadConstraints?: unknown[];
}
export interface Workload extends Manifest {
  spec: {
    replicas?: number;
    minReadySeconds?: number;
    strategy?: { rollingUpdate: { maxUnavailable: number; maxSurge: number } };
    selector?: { matchLabels: Labels };
    template: { metadata: { labels: Labels }; spec: PodSpec };
    volumeClaimTemplates?: { metadata: { name: string }; spec: { storageClassName?: string } }[];
  };
}
export interface ServiceManifest extends Manifest {
  spec: { clusterIP: string; selector: Labels; ports: { port: number; targetPort: string }[] };
}
export interface DataManifest extends Manifest {
  data: Labels;
}
export interface LabelSelector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: 'In'; values: string[] }[];
}
export interface Peer {
  podSelector?: LabelSelector;
  namespaceSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}
export interface PolicyPort {
  port: number | string;
  protocol?: 'TCP' | 'UDP';
}
export interface NetworkPolicy extends Manifest {
  spec: {
    podSelector: LabelSelector;
    policyTypes: string[];
    ingress?: { from?: Peer[]; ports?: PolicyPort[] }[];
    egress?: { to?: Peer[]; ports?: PolicyPort[] }[];
  };
}
export interface Autoscaler extends Manifest {
  spec: {
    scaleTargetRef: { kind: string; name: string };
    minReplicas: number;
    maxReplicas: number;
    metrics: {
      type: string;
      resource?: { target: { averageUtilization: number } };
      external?: { metric: { name: string } };
    }[];
  };
}
export interface Budget extends Manifest {
  spec: { selector: LabelSelector; maxUnavailable: number };
}
export interface Route extends Manifest {
  spec: {
    parentRefs: { name: string }[];
    rules: { matches: { method: { service: string } }[]; backendRefs: { name: string; port: number }[] }[];
  };
}

export const podOf = (workload: Workload): PodSpec => workload.spec.template.spec;
/** Everything that starts pods. */
export const workloadsIn = (manifests: readonly Manifest[]): Workload[] =>
  manifests.filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job'].includes(kind)) as Workload[];
export const imagesIn = (manifests: readonly Manifest[]): string[] =>
  workloadsIn(manifests).flatMap((workload) => podOf(workload).containers.map(({ image }) => image));
/** The Secrets that a pod mounts. */
export const secretsOf = ({ volumes = [] }: PodSpec): string[] =>
  volumes.flatMap(({ secret, projected }) => [
    ...(secret === undefined ? [] : [secret.secretName]),
    ...(projected?.sources.map((source) => source.secret.name) ?? []),
  ]);

/** Whether a pod with these labels is meant. */
export function selects({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}
