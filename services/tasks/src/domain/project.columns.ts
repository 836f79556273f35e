import { column, defineColumns, defineMessage, pickColumns, type Changed, type Created, type Stored } from '#libs/db';
import {
  Project as ProjectMessage,
  ProjectMember as MemberMessage,
  type ProjectRole,
  projectRoleFromJSON,
  projectRoleToNumber,
} from '#contract/tasks/v1/projects';
import * as inputs from './project.inputs.ts';
import { toEtag } from './task.columns.ts';

const always = <const S>(schema: S) => ({ create: schema, change: schema, initial: '' });

/** The columns of a project. Those that are not internal are fields of the message with the same name. */
export const projectTable = defineColumns('projects', {
  id: column.uuid().primary(),
  key: column.text().fixed().writable({ create: inputs.key, initial: '' }),
  name: column.text().writable(always(inputs.name)),
  description: column.text().writable(always(inputs.description)),
  color: column.text().writable(always(inputs.color)),
  /** What happens to members changes neither version nor update time. */
  memberCount: column.integer(),
  /** The highest number that a task of the project has ever had. Only a task that comes into it changes this. */
  lastNumber: column.bigint().fixed().defaultsTo('0').internal(),
  version: column.bigint().internal(),
  createTime: column.time().fixed(),
  updateTime: column.time(),
  archiveTime: column.time().nullable(),
  deleteTime: column.time().nullable(),
  /** When the rows of a deleted project are removed. */
  purgeTime: column.time().nullable(),
});

type ProjectColumns = typeof projectTable.columns;
export type ProjectValues = Stored<ProjectColumns>;
export type ProjectDraft = Created<ProjectColumns>;
/** The fields to change; those left out stay as they are. */
export type ProjectEdit = Changed<ProjectColumns>;

/** The project as somebody with this role in it sees it. */
export const toProjectMessage = defineMessage<ProjectMessage, { role: ProjectRole }>(ProjectMessage.fromPartial({}))(
  projectTable,
  { role: (_, { role }) => role, etag: ({ version }) => toEtag(version) },
);

/** One row for each person in a project. */
export const memberRows = defineColumns('project_members', {
  projectId: column.uuid().primary(),
  userId: column.uuid().primary(),
  role: column.coded(projectRoleToNumber, projectRoleFromJSON),
  version: column.bigint().internal(),
  /** When the person joined. */
  createTime: column.time().fixed(),
  updateTime: column.time(),
  /** Events of the project count for the person from behind this transaction on. Null: from the beginning. */
  joinTransaction: column.transactionId().nullable().fixed().defaultsTo('pg_current_xact_id()').internal(),
  joinIncarnation: column.bigint().nullable().fixed().defaultsTo('log_incarnation()').internal(),
});

/** The columns that the service writes; PostgreSQL fills the others. */
export const memberTable = pickColumns(
  memberRows,
  'projectId',
  'userId',
  'role',
  'version',
  'createTime',
  'updateTime',
);

export type MemberValues = Stored<typeof memberTable.columns>;

/** The member as clients see it, without the name. */
export const toMemberMessage = defineMessage<MemberMessage, object>(MemberMessage.fromPartial({}))(memberTable, {
  etag: ({ version }) => toEtag(version),
  userName: () => '',
  userServiceAccount: () => false,
});
