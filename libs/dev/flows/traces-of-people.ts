import { queryDatabase, serviceNames, waitUntil, type Cluster } from '#dev/cluster';
import { Redis } from 'ioredis';

const listTables = `
  select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables where schemaname not like 'pg_%'`;

/** Bytes are shown in hexadecimal, so a word is looked for in that form, too. */
const findIn = (table: string): string => `
  select row.content from (select t::text as content from ${table} t) row, unnest($1::text[]) word
  where position(lower(word) in lower(row.content)) > 0
    or position(encode(convert_to(word, 'UTF8'), 'hex') in row.content) > 0`;

/** Where one of the words stands in any table of any service, as "tasks: public.events (…)". */
export async function findInDatabases(cluster: Cluster, words: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const service of serviceNames) {
    const url = cluster.databaseUrl(service);
    for (const { name } of await queryDatabase<{ name: string }>(url, listTables))
      for (const { content } of await queryDatabase<{ content: string }>(url, findIn(name), [words]))
        found.push(`${service}: ${name} ${content}`);
  }
  return found;
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  switch (await redis.type(key)) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return null;
  }
}

/** The keys of Redis in which one of the words stands, or in their values. */
export async function findInRedis({ redisUrl }: Cluster, words: readonly string[]): Promise<string[]> {
  const redis = new Redis(redisUrl);
  const found: string[] = [];
  try {
    for await (const keys of redis.scanStream({ count: 500 }) as AsyncIterable<string[]>)
      for (const key of keys) {
        const text = `${key} ${JSON.stringify(await readKey(redis, key))}`.toLowerCase();
        if (words.some((word) => text.includes(word.toLowerCase()))) found.push(text);
      }
  } finally {
    redis.disconnect();
  }
  return found;
}

/** Lets the grace of a deleted account, and the pause after it, be over. */
export async function letGraceRunOut(cluster: Cluster, accountId: string): Promise<void> {
  await queryDatabase(
    cluster.databaseUrl('auth'),
    `update accounts set delete_time = delete_time - interval '1 year', purge_time = now() - interval '1 second'
     where id = $1 and delete_time is not null`,
    [accountId],
  );
}

/** Waits until the account has been removed everywhere. */
export async function untilRemoved(cluster: Cluster, accountId: string): Promise<void> {
  const text = 'select 1 from account_deletions where account_id = $1 and finish_time is not null';
  await waitUntil(
    () => queryDatabase(cluster.databaseUrl('auth'), text, [accountId]),
    (rows) => rows.length === 1,
    240_000,
  );
}
