import { createFileRegistry, create, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema, type FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { readFileSync } from 'node:fs';

/** One .proto file of the contract as compiled by buf, options included. */
export interface FileDescriptor {
  /** Its path, for instance "taskflow/tasks/v1/tasks.proto". */
  name: string;
  /** The paths that it imports. */
  imports: readonly string[];
  /** The serialized google.protobuf.FileDescriptorProto, comments included. */
  bytes: Uint8Array;
}

/** The number of source_code_info in google.protobuf.FileDescriptorProto: where everything stands, and the comments. */
const commentsField = 9;

/** The files of the set as they are in it; its only field is `repeated FileDescriptorProto file`. */
function splitSet(set: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(set);
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    reader.tag();
    files.push(reader.bytes());
  }
  return files;
}

/** Three quarters of the set are comments, which no service needs: reading them would be a tenth of its start. */
function withoutComments(file: Uint8Array): Uint8Array {
  const reader = new BinaryReader(file);
  const kept: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, type] = reader.tag();
    reader.skip(type, field);
    if (field !== commentsField) kept.push(file.subarray(start, reader.pos));
  }
  return Buffer.concat(kept);
}

const read = (bytes: Uint8Array): { bytes: Uint8Array; file: FileDescriptorProto } => ({
  bytes,
  file: fromBinary(FileDescriptorProtoSchema, withoutComments(bytes)),
});

const files = splitSet(readFileSync(new URL('./gen/descriptors.binpb', import.meta.url))).map(read);

/** Every file of the contract and every file that one of them imports, imports first. */
export const fileDescriptors: readonly FileDescriptor[] = files.map(({ bytes, file }) => ({
  name: file.name,
  imports: file.dependency,
  bytes,
}));

/** The same files, resolved, to look descriptors up by name; without their comments. */
export const fileRegistry: FileRegistry = createFileRegistry(
  create(FileDescriptorSetSchema, { file: files.map(({ file }) => file) }),
);
