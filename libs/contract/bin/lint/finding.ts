import type { DescFile, DescMessage, DescMethod } from '@bufbuild/protobuf';

/** One breach of a rule. */
export interface Finding {
  /** The name of the rule, for instance "list-pages". */
  rule: string;
  /** The .proto file. */
  file: string;
  /** What breaks the rule: "ListTasksRequest.page_size", "TasksService.ListTasks", or '' for the file itself. */
  subject: string;
  /** What it has to be. */
  message: string;
}

/** What one subject has to be; nothing where it is so already. */
export type Messages = readonly (string | false | undefined)[];

/** Breaches of one rule, one for each message that is not empty. */
export function breaches(rule: string, at: { file: DescFile; subject: string }, messages: Messages): Finding[] {
  return messages.flatMap((message) =>
    message === false || message === undefined
      ? []
      : [{ rule, file: at.file.proto.name, subject: at.subject, message }],
  );
}

/** "tasks" of taskflow.tasks.v1. */
export const packageOf = (file: DescFile): string => file.proto.package.split('.')[1] ?? '';

export const nameOf = ({ parent, name }: DescMethod): string => `${parent.name}.${name}`;

export const isOurs = (type: DescMessage | DescFile): boolean =>
  (type.kind === 'file' ? type.proto.package : type.typeName).startsWith('taskflow.');
