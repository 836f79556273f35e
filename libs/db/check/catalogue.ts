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

interface KnownConstraint {
  table: string;
  /** CHECK, UNIQUE, … as the grammar says, without its prefix. */
  type: string;
  validated: boolean;
  /** The column that it keeps from being null, when that is all it does. */
  notNull: string;
  /** Which migration added it. */
  migration: string;
}

/** What the earlier migrations have created, as far as the next one is judged by it. */
export interface Catalogue {
  /** Created since the last release, so nobody uses them yet. */
  readonly newTables: ReadonlySet<string>;
  /** "table.column" */
  readonly newColumns: ReadonlySet<string>;
  readonly constraints: ReadonlyMap<string, KnownConstraint>;
  /** Index → its table. */
  readonly indexes: ReadonlyMap<string, { table: string; unique: boolean }>;
  /** Functions, triggers, types, views and sequences created since the last release. */
  readonly newObjects: ReadonlySet<string>;
  /** Columns that the statement adds. Call it before the statement is judged, because the rest of it may name them. */
  expectColumns(statement: ParsedStatement): void;
  learn(statement: ParsedStatement, origin: { migration: string; released: boolean }): void;
}

export const constraintType = (constraint: Node): string => textOf(constraint['contype']).replace('CONSTR_', '');

/** The column of `check (x is not null)`, or of a NOT NULL constraint; '' for anything else. */
export function notNullColumn(constraint: Node): string {
  if (constraintType(constraint) === 'NOTNULL') return lastName(listOf(constraint, 'keys'));
  const test = childOf(childOf(constraint, 'raw_expr'), 'NullTest');
  return test?.['nulltesttype'] === 'IS_NOT_NULL' ? (columnsIn(test)[0] ?? '') : '';
}

/** The commands of an ALTER TABLE. */
export const commandsOf = (node: Node): Node[] =>
  listOf(node, 'cmds').map((command) => childOf(command, 'AlterTableCmd') ?? {});

const madeBy: Readonly<Record<string, (node: Node) => string>> = {
  CreateFunctionStmt: (node) => lastName(listOf(node, 'funcname')),
  CreateTrigStmt: (node) => textOf(node['trigname']),
  CreateEnumStmt: (node) => lastName(listOf(node, 'typeName')),
  CreateDomainStmt: (node) => lastName(listOf(node, 'domainname')),
  CompositeTypeStmt: (node) => relationOf(node, 'typevar'),
  CreateSeqStmt: (node) => relationOf(node, 'sequence'),
  ViewStmt: (node) => relationOf(node, 'view'),
  CreateTableAsStmt: (node) => relationOf(childOf(node, 'into'), 'rel'),
};

export function createCatalogue(): Catalogue {
  const [newTables, newColumns, newObjects] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const constraints = new Map<string, KnownConstraint>();
  const indexes = new Map<string, { table: string; unique: boolean }>();

  const learnConstraints = (table: string, within: unknown, migration: string): void => {
    for (const constraint of findAll(within, 'Constraint')) {
      const name = textOf(constraint['conname']);
      const known = {
        table,
        type: constraintType(constraint),
        validated: constraint['skip_validation'] !== true,
        notNull: notNullColumn(constraint),
        migration,
      };
      if (name !== '') constraints.set(`${table}.${name}`, known);
    }
  };
  const learnAlter = (node: Node, migration: string): void => {
    const table = relationOf(node);
    learnConstraints(table, node, migration);
    for (const command of commandsOf(node)) {
      const name = textOf(command['name']);
      const known = constraints.get(`${table}.${name}`);
      if (command['subtype'] === 'AT_ValidateConstraint' && known !== undefined) known.validated = true;
      if (command['subtype'] === 'AT_DropConstraint') constraints.delete(`${table}.${name}`);
    }
  };

  return {
    newTables,
    newColumns,
    constraints,
    indexes,
    newObjects,
    expectColumns: ({ kind, node }) => {
      if (kind !== 'AlterTableStmt') return;
      const added = commandsOf(node).filter((command) => command['subtype'] === 'AT_AddColumn');
      for (const command of added)
        newColumns.add(`${relationOf(node)}.${textOf(childOf(childOf(command, 'def'), 'ColumnDef')?.['colname'])}`);
    },
    learn: ({ kind, node }, origin) => {
      if (kind === 'CreateStmt') {
        const table = relationOf(node);
        if (!origin.released) newTables.add(table);
        learnConstraints(table, node, origin.migration);
      } else if (kind === 'AlterTableStmt') learnAlter(node, origin.migration);
      else if (kind === 'IndexStmt')
        indexes.set(textOf(node['idxname']), { table: relationOf(node), unique: node['unique'] === true });
      else if (!origin.released) newObjects.add(madeBy[kind]?.(node) ?? '');
    },
  };
}
