import {
  fromBinary,
  type DescEnum,
  type DescEnumValue,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
} from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { fileDescriptors } from '../../src/descriptors.ts';

export type Commented = DescFile | DescService | DescMethod | DescMessage | DescField | DescEnum | DescEnumValue;

/** Numbers of fields in descriptor.proto: where in a file something stands. */
function pathOf(subject: Commented): number[] {
  switch (subject.kind) {
    case 'file':
      return [2];
    case 'service':
      return [6, subject.file.services.indexOf(subject)];
    case 'rpc':
      return [...pathOf(subject.parent), 2, subject.parent.methods.indexOf(subject)];
    case 'message':
      return subject.parent === undefined
        ? [4, subject.file.messages.indexOf(subject)]
        : [...pathOf(subject.parent), 3, subject.parent.nestedMessages.indexOf(subject)];
    case 'field':
      return [...pathOf(subject.parent), 2, subject.parent.proto.field.indexOf(subject.proto)];
    case 'enum':
      return subject.parent === undefined
        ? [5, subject.file.enums.indexOf(subject)]
        : [...pathOf(subject.parent), 4, subject.parent.nestedEnums.indexOf(subject)];
    case 'enum_value':
      return [...pathOf(subject.parent), 2, subject.parent.values.indexOf(subject)];
  }
}

const fileOf = (subject: Commented): DescFile => {
  if (subject.kind === 'file') return subject;
  if (subject.kind === 'rpc' || subject.kind === 'field' || subject.kind === 'enum_value') return subject.parent.file;
  return subject.file;
};

/** By the file's path: the files of src/descriptors.ts have no comments. */
const sourceInfo = new Map(
  fileDescriptors.map(({ name, bytes }) => [name, fromBinary(FileDescriptorProtoSchema, bytes).sourceCodeInfo]),
);

/** What stands before something in its .proto file, as one line. */
export function commentOf(subject: Commented): string {
  const path = pathOf(subject).join('.');
  const { proto } = fileOf(subject);
  const info = proto.sourceCodeInfo ?? sourceInfo.get(proto.name);
  const location = info?.location.find((candidate) => candidate.path.join('.') === path);
  const lines = location?.leadingComments ?? '';
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
