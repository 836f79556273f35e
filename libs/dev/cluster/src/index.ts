export { alignColumns } from './align-columns.ts';
export { issueCertificates, renewCertificates } from './certificates.ts';
export { startCluster, type Cluster } from './cluster.ts';
export type { ClusterOptions } from './cluster-options.ts';
export type { Admin } from './cluster-settings.ts';
export { findServices, runCommand, UsageError, type Progress } from './command.ts';
export { readChoices, readCount } from './command-options.ts';
export { createDatabase, queryDatabase, type TestDatabase } from './databases.ts';
export { createAuthority, type Authority, type CertificateRequest, type CertificateWithKey } from './authority.ts';
export { isServing } from './health-check.ts';
export { findFreePort, isPortFree } from './ports.ts';
export { startInfrastructure, type Infrastructure, type InfrastructureOptions } from './infrastructure.ts';
export { checkoutRoot } from './instance.ts';
export { createMigratedDatabase } from './migrated-databases.ts';
export { childrenOf } from './processes.ts';
export { programOf, type Program } from './program.ts';
export { readServiceKey } from './keys.ts';
export {
  defaultPorts,
  forEachService,
  processNames,
  serviceNames,
  type ProcessName,
  type ServiceName,
} from './service-names.ts';
export { startedEnvironment } from './started-environment.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { waitUntil } from './wait-until.ts';
export { testPostgresUrl, testRedisUrl } from './test-urls.ts';
export { clientOptions } from './client-options.ts';
