export { createDatabase, type TestDatabase } from './databases.ts';
export { InstanceRunningError, startInfrastructure, type Infrastructure, type InfrastructureOptions } from './infrastructure.ts';
export { testPostgresUrl, testRedisUrl } from './test-urls.ts';
