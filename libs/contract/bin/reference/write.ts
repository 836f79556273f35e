import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DescFile } from '@bufbuild/protobuf';
import { fileRegistry } from '../../src/descriptors.ts';
import { policyOf } from '../../src/policy.ts';
import { toOpenApi } from '../openapi/document.ts';
import { toMarkdown, type Block } from './blocks.ts';
import { reasonBlocks } from './reasons.ts';
import { pageOf, serviceBlocks } from './service-page.ts';

/** By package, and in it services before what they have in common. */
const placeOf = ({ name, proto, services }: DescFile): string =>
  `${proto.package} ${services.length > 0 ? 0 : 1} ${name}`;

function documentedFiles(): DescFile[] {
  const files = [...fileRegistry.files].filter(
    (file) => file.name.startsWith('taskflow/') && file.name !== 'taskflow/policy/v1/reasons',
  );
  return files.sort((a, b) => placeOf(a).localeCompare(placeOf(b)));
}

function overview(files: readonly DescFile[]): Block[] {
  const rows = files.flatMap((file) =>
    file.services.flatMap((service) =>
      service.methods.map((method) => {
        const { access, deadlineMs, retry } = policyOf(`/${service.typeName}/${method.name}`);
        const place = `${pageOf(file)}.md#${service.name}-${method.name}`.toLowerCase();
        return [
          service.name,
          `[${method.name}](${place})`,
          access,
          `${deadlineMs / 1000} s`,
          retry.replaceAll('_', ' '),
        ];
      }),
    ),
  );
  return [
    { kind: 'heading', level: 1, text: 'TaskFlow API', id: 'api' },
    {
      kind: 'text',
      text: 'gRPC over HTTP/2. Users send `authorization: Bearer <access token>`; every call may carry `x-request-id`, which comes back with the answer and stands in every log line. A server offers reflection, so that `grpcurl` and `buf curl` need no files.',
    },
    { kind: 'table', head: ['service', 'method', 'access', 'deadline', 'retry'], rows },
  ];
}

function pageList(files: readonly DescFile[]): Block {
  const pages = files.map((file) => `[${pageOf(file)}](${pageOf(file)}.md)`);
  return { kind: 'text', text: `Pages: ${pages.join(', ')}, [reasons](reasons.md).` };
}

/** Writes the API reference: one Markdown file for each .proto file, the reasons, and the OpenAPI document. */
export function writeReference(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const files = documentedFiles();
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  write('README.md', toMarkdown([...overview(files), pageList(files)]));
  for (const file of files) write(`${pageOf(file)}.md`, toMarkdown(serviceBlocks(file)));
  write('reasons.md', toMarkdown(reasonBlocks()));
  write('openapi.json', `${JSON.stringify(toOpenApi(), null, 1)}\n`);
}
