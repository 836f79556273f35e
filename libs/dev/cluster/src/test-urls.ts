/** URL of the administrator of the PostgreSQL that a test run shares. */
export function testPostgresUrl(): string {
  return required('TASKFLOW_TEST_POSTGRES_URL');
}

/** URL of the Redis that a test run shares. */
export function testRedisUrl(): string {
  return required('TASKFLOW_TEST_REDIS_URL');
}

function required(name: string): string {
  const url = process.env[name];
  if (url === undefined || url === '') {
    throw new Error(
      `${name} is not set: this test needs the servers that "npm test -- <file>" starts, so run it that way`,
    );
  }
  return url;
}
