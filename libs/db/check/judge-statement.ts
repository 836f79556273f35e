import { commandsOf, type Catalogue } from './catalogue.ts';
import { judgeCommand } from './judge-alter.ts';
import { contracts, locks, rewrites, unknown, type Objection } from './objection.ts';
import {
  childOf,
  columnsIn,
  findAll,
  lastName,
  listOf,
  relationOf,
  textOf,
  type Node,
  type ParsedStatement,
} from './statements.ts';

/** Where a statement stands. */
export interface Place {
  migration: string;
  catalogue: Catalogue;
  droppedChecks: ReadonlySet<string>;
}

const isReleased = ({ newTables }: Catalogue, table: string): boolean => table !== '' && !newTables.has(table);

function judgeAlterTable({ node }: ParsedStatement, place: Place): Objection[] {
  const table = relationOf(node);
  if (node['objtype'] !== 'OBJECT_TABLE') return unknown('', `ALTER of ${textOf(node['objtype'])}`);
  if (!isReleased(place.catalogue, table)) return [];
  return commandsOf(node).flatMap((command) => judgeCommand({ ...place, table, command }));
}

function judgeIndex({ node }: ParsedStatement, { catalogue }: Place): Objection[] {
  const table = relationOf(node);
  if (!isReleased(catalogue, table)) return [];
  const columns = [
    ...listOf(node, 'indexParams')
      .map((part) => textOf(childOf(part, 'IndexElem')?.['name']))
      .filter((name) => name !== ''),
    ...columnsIn(node['indexParams']),
  ];
  const isAboutNews = columns.some((column) => catalogue.newColumns.has(`${table}.${column}`));
  return [
    ...(node['concurrent'] === true
      ? []
      : locks(table, 'nobody can write while the index is built: CREATE INDEX CONCURRENTLY, in a ConcurrentMigration')),
    ...(node['unique'] === true && !isAboutNews
      ? contracts(table, 'the unique index refuses what the release before may write')
      : []),
  ];
}

const nameOf = (object: Node): string => {
  const names = childOf(object, 'List') ?? childOf(object, 'TypeName') ?? childOf(object, 'ObjectWithArgs');
  return lastName(listOf(names, 'items').concat(listOf(names, 'names'), listOf(names, 'objname')));
};

function judgeDropIndex(name: string, catalogue: Catalogue): Objection[] {
  const { table, unique } = catalogue.indexes.get(name) ?? { table: '', unique: true };
  return unique && !catalogue.newTables.has(table)
    ? contracts(table, `the release before may rely on the uniqueness of ${name}`)
    : [];
}

function judgeDrop({ node }: ParsedStatement, { catalogue }: Place): Objection[] {
  const type = textOf(node['removeType']).replace('OBJECT_', '');
  return listOf(node, 'objects').flatMap((object) => {
    const name = nameOf(object);
    if (type === 'INDEX') return judgeDropIndex(name, catalogue);
    if (catalogue.newTables.has(name) || catalogue.newObjects.has(name)) return [];
    return contracts(type === 'TABLE' ? name : '', `the release before may use ${type.toLowerCase()} ${name}`);
  });
}

function judgeRename({ node }: ParsedStatement, { catalogue }: Place): Objection[] {
  const table = relationOf(node);
  const [type, column] = [textOf(node['renameType']).replace('OBJECT_', ''), textOf(node['subname'])];
  const harmless = type === 'INDEX' || catalogue.newTables.has(table) || catalogue.newColumns.has(`${table}.${column}`);
  return harmless ? [] : contracts(table, `the release before knows the old name of the ${type.toLowerCase()}`);
}

/** An UPDATE or DELETE without a WHERE on a column, anywhere in the statement. */
function judgeChanges({ kind, node }: ParsedStatement, { catalogue }: Place): Objection[] {
  const whole = { [kind]: node };
  return ['UpdateStmt', 'DeleteStmt', 'MergeStmt'].flatMap((of) =>
    findAll(whole, of).flatMap((change) => {
      const table = relationOf(change);
      const isLimited = of !== 'MergeStmt' && columnsIn(change['whereClause']).length > 0;
      if (isLimited || !isReleased(catalogue, table)) return [];
      return rewrites(table, 'every row is changed in one transaction: do it in batches, in the background');
    }),
  );
}

const lockedAsAWhole =
  (what: string, tableOf: (node: Node) => string = relationOf) =>
  ({ node }: ParsedStatement, { catalogue }: Place): Objection[] => {
    const table = tableOf(node);
    return isReleased(catalogue, table) ? locks(table, `${what} locks the whole table`) : [];
  };

/** Rights that are taken from a released table are missed by the release before. */
function judgeRights({ node }: ParsedStatement, { catalogue }: Place): Objection[] {
  if (node['is_grant'] === true) return [];
  return listOf(node, 'objects')
    .map((one) => relationOf(one, 'RangeVar'))
    .filter((table) => isReleased(catalogue, table))
    .flatMap((table) => contracts(table, 'the release before may need the right'));
}

const firstOf = (key: string, node: Node): string => relationOf(listOf(node, key)[0], 'RangeVar');
const accepted = (): Objection[] => [];

/** A statement that is not listed here is refused, because nobody has judged it. */
const kinds: Readonly<Record<string, (statement: ParsedStatement, place: Place) => Objection[]>> = {
  CreateStmt: accepted,
  CreateTableAsStmt: accepted,
  CreateFunctionStmt: accepted,
  CreateTrigStmt: accepted,
  CreateEnumStmt: accepted,
  CreateDomainStmt: accepted,
  CompositeTypeStmt: accepted,
  CreateSeqStmt: accepted,
  CreateStatsStmt: accepted,
  CreateExtensionStmt: accepted,
  AlterEnumStmt: accepted,
  ViewStmt: accepted,
  CommentStmt: accepted,
  CreateSchemaStmt: accepted,
  GrantStmt: judgeRights,
  InsertStmt: judgeChanges,
  SelectStmt: judgeChanges,
  UpdateStmt: judgeChanges,
  DeleteStmt: judgeChanges,
  MergeStmt: judgeChanges,
  AlterTableStmt: judgeAlterTable,
  IndexStmt: judgeIndex,
  DropStmt: judgeDrop,
  RenameStmt: judgeRename,
  AlterObjectSchemaStmt: ({ node }, { catalogue }) =>
    isReleased(catalogue, relationOf(node))
      ? contracts(relationOf(node), 'the release before looks for it in the old schema')
      : [],
  TruncateStmt: ({ node }, { catalogue }) =>
    listOf(node, 'relations')
      .map((one) => relationOf(one, 'RangeVar'))
      .filter((table) => isReleased(catalogue, table))
      .flatMap((table) => contracts(table, 'the release before misses the rows')),
  LockStmt: lockedAsAWhole('LOCK TABLE', (node) => firstOf('relations', node)),
  ClusterStmt: lockedAsAWhole('CLUSTER'),
  VacuumStmt: lockedAsAWhole('VACUUM', (node) => relationOf(childOf(listOf(node, 'rels')[0], 'VacuumRelation'))),
  ReindexStmt: (statement, place) =>
    listOf(statement.node, 'params').some((part) => childOf(part, 'DefElem')?.['defname'] === 'concurrently')
      ? []
      : lockedAsAWhole('REINDEX', () => relationOf(statement.node))(statement, place),
  RefreshMatViewStmt: (statement, place) =>
    statement.node['concurrent'] === true ? [] : lockedAsAWhole('REFRESH MATERIALIZED VIEW')(statement, place),
};

export function judgeStatement(statement: ParsedStatement, place: Place): Objection[] {
  const judge = kinds[statement.kind] ?? (() => unknown('', `nobody has judged ${statement.kind} yet`));
  return judge(statement, place);
}
