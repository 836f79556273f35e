export { startCluster, type Cluster, type ClusterOptions } from './cluster.ts';
export type { Admin } from './cluster-settings.ts';
export { createDatabase, type TestDatabase } from './databases.ts';
export { isServing } from './health-check.ts';
export { findFreePort, isPortFree } from './ports.ts';
export { InstanceRunningError, startInfrastructure, type Infrastructure, type InfrastructureOptions } from './infrastructure.ts';
export { readServiceKey } from './keys.ts';
export { defaultPorts, serviceNames, type ServiceName } from './service-names.ts';
export { testPostgresUrl, testRedisUrl } from './test-urls.ts';
