import { createFileRegistry, fromBinary, toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { readFileSync } from 'node:fs';

const set = fromBinary(FileDescriptorSetSchema, readFileSync(new URL('./gen/descriptors.binpb', import.meta.url)));

/** One .proto file of the contract as compiled by buf, options included. */
export interface FileDescriptor {
  /** Its path, for instance "taskflow/tasks/v1/tasks.proto". */
  name: string;
  /** The paths that it imports. */
  imports: readonly string[];
  /** The serialized google.protobuf.FileDescriptorProto. */
  bytes: Uint8Array;
}

/** Every file of the contract and every file that one of them imports, imports first. */
export const fileDescriptors: readonly FileDescriptor[] = set.file.map((file) => ({
  name: file.name,
  imports: file.dependency,
  bytes: toBinary(FileDescriptorProtoSchema, file),
}));

/** The same files, resolved, to look descriptors up by name. */
export const fileRegistry: FileRegistry = createFileRegistry(set);
