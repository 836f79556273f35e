export { v7 as uuidv7 } from 'uuid';
export { afterCommit } from './after-commit.ts';
export { createCredentials, type Credentials } from './credentials.ts';
export { columnTypes } from './column-types.ts';
export { column } from './columns.ts';
export { defineMessage } from './column-messages.ts';
export {
  defineColumns,
  defineEntityOf,
  pickColumns,
  toColumnName,
  type Changed,
  type Created,
  type ColumnTable,
  type Columns,
  type RowOf,
  type Stored,
} from './column-table.ts';
export { openDatabase, type Database, type DatabaseDefinition } from './database.ts';
export {
  idempotencyTable,
  once,
  pruneIdempotency,
  recall,
  removeRequestsOf,
  removeResponsesWith,
  type Once,
} from './idempotency.ts';
export { ConcurrentMigration, Migration } from './migration.ts';
export { listPage, type PageInput } from './list-page.ts';
export { createLoader, type Loader } from './loader.ts';
export { migrate, readCommandOptions, runDatabaseCommand, runMigrateCommand, schemaDrift } from './migrate.ts';
export { finalStatement, type CommonTable } from './final-statement.ts';
export type { Ask, GroupSeat, GroupWrite } from './group-member.ts';
export type { GroupPlan } from './group-transaction.ts';
export { createPageTokens, type JsonValue, type PageScope, type PageTokens } from './page-tokens.ts';
export { provision, type OwnedDatabase } from './provision.ts';
export { rowTypes, type SqlReader, type Statement } from './reader.ts';
export { reencrypt, runReencryptCommand, type SealedColumn } from './reencrypt.ts';
export { type Snapshots } from './snapshot.ts';
export { runStatement } from './statement.ts';
export type { OrderedUnitOfWork, UnitOfWork } from './unit-of-work.ts';
export { walkPages } from './walk-pages.ts';
export type { EntityManager } from '@mikro-orm/postgresql';
export { openServiceDatabase } from './service-database.ts';
export { createSecretCipher, deriveKey, type SecretCipher } from './secret-cipher.ts';
