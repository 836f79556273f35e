import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { lintContract, toLine } from '../bin/lint/lint.ts';

const root = new URL('../../../', import.meta.url).pathname;
const good = readFileSync(new URL('./well-made.proto.txt', import.meta.url), 'utf8');

/** What a change of the well-made contract makes of it, and the line that the lint has to say. */
type Mutation = readonly [from: string | RegExp, to: string, finding: string];

const optional = '[(google.api.field_behavior) = OPTIONAL]';
const outputOnly = '[(google.api.field_behavior) = OUTPUT_ONLY]';
const rule = (text: string): string => `(taskflow.policy.v1.field) = {${text}}`;
const needs = (subject: string, what: string): string =>
  `${subject}: ${what}, in (taskflow.policy.v1.field), or says why it is unlimited`;

const mutationsOf: Readonly<Record<string, readonly Mutation[]>> = {
  'language-options': [
    ['java_multiple_files = true', 'java_multiple_files = false', 'java_multiple_files has to be true'],
    ['swift_prefix = "TFW"', 'swift_prefix = "TFX"', 'swift_prefix has to be the same as objc_class_prefix'],
  ],
  'own-imports': [
    [
      'import "google/api',
      'import "taskflow/other/v1/other.proto";\nimport "google/api',
      'must not import taskflow/other/v1/other.proto; copy what it needs into its own package',
    ],
  ],
  'field-behavior': [
    [
      'string id = 1 [(google.api.field_behavior) = IDENTIFIER, ',
      'string id = 1 [',
      'Thing.id: needs google.api.field_behavior',
    ],
    [
      `repeated Thing things = 1 ${outputOnly}`,
      `repeated Thing things = 1 ${optional}`,
      'ListThingsResponse.things: stands only in answers, so it is OUTPUT_ONLY',
    ],
  ],
  'output-only-in-words': [
    [
      '// When it was made.',
      '// Output only. When it was made.',
      'Thing.create_time: the comment repeats field_behavior; say nothing of "Output only"',
    ],
  ],
  'field-limits': [
    [
      `, ${rule('format: TEXT_FORMAT_UUID')}`,
      '',
      needs('Thing.id', 'text needs a limit: max_length, max_bytes, pattern or a format that has one'),
    ],
    [
      'max_length: 50, max_items: 20',
      'max_length: 50',
      'Thing.labels: a list needs max_items, or says why it is unlimited',
    ],
    [`, ${rule('max_items: 9')}`, '', needs('BatchUpdateThingsRequest.requests', 'a list needs max_items')],
    [`, ${rule('min: 1')}`, '', needs('Thing.weight_number', 'a number needs min or max')],
    [`, ${rule('max_bytes: 9')}`, '', needs('Thing.raw', 'bytes need max_bytes')],
    [
      'unlimited: "every time counts"',
      '',
      'Thing.start_time: a time needs min_time or end_time, or says why it is unlimited',
    ],
    ['min_span: {}, max_span: {seconds: 5}', '', 'Thing.max_wait: a span needs max_span, or says why it is unlimited'],
    ['max_bytes: 9', 'max_bytes: 9, unlimited: "why not"', 'Thing.raw: it has a limit, so it is not unlimited'],
    ['max_bytes: 9', 'max_bytes: 9, max: 9', 'Thing.raw: its type has no max'],
    [
      'int32 part_count = 4 [(google.api.field_behavior) = OUTPUT_ONLY]',
      `int32 part_count = 4 [(google.api.field_behavior) = OUTPUT_ONLY, ${rule('min: 1')}]`,
      'Thing.part_count: no client sends it, so it needs no (taskflow.policy.v1.field)',
    ],
  ],
  times: [
    [
      'google.protobuf.Timestamp create_time',
      'google.protobuf.Timestamp created',
      'Thing.created: a Timestamp has a name that ends in _time',
    ],
    [
      'google.protobuf.Timestamp create_time',
      'string create_time',
      'Thing.create_time: what ends in _time is a Timestamp',
    ],
    [
      /google.protobuf.Duration max_wait = 3 [^;]*;/,
      `int32 max_wait_ms = 3 [(google.api.field_behavior) = OPTIONAL, ${rule('min: 0')}];`,
      'Thing.max_wait_ms: a span of time is a google.protobuf.Duration',
    ],
  ],
  counts: [['int32 part_count', 'int32 parts', 'Thing.parts: a count has a name that ends in _count']],
  enums: [['State state', 'string state', 'Thing.state: one of a few words is an enum, not a string']],
  'one-paging-idiom': [
    [
      'string next_page_token = 2',
      `bool more = 3 ${outputOnly};\n  // Empty at the end.\n  string next_page_token = 2`,
      'ListThingsResponse.more: whether there is more is told by next_page_token',
    ],
  ],
  'list-pages': [
    ['int32 page_size', 'int64 page_size', 'WellService.ListThings: ListThingsRequest needs int32 page_size'],
    [/string page_token = 2 .*;/, '', 'WellService.ListThings: ListThingsRequest needs string page_token'],
    ['string next_page_token', 'string end', 'WellService.ListThings: ListThingsResponse needs string next_page_token'],
  ],
  'mutation-repeatable': [
    [/string request_id = 3 .*;/, '', 'WellService.UpdateThing: UpdateThingRequest needs string request_id'],
    [
      'bool validate_only = 4',
      'bool check_only = 4',
      'WellService.UpdateThing: UpdateThingRequest needs bool validate_only',
    ],
  ],
  'update-mask': [
    [
      `google.protobuf.FieldMask update_mask = 2 ${optional}`,
      `string update_mask = 2 [(google.api.field_behavior) = OPTIONAL, ${rule('max_length: 9')}]`,
      'WellService.UpdateThing: UpdateThingRequest needs google.protobuf.FieldMask update_mask',
    ],
    [
      'string id = 1 [',
      'string name = 1 [',
      'WellService.UpdateThing: UpdateThingRequest needs the resource, with its id',
    ],
  ],
  etags: [
    ['string etag = 6', 'string mark = 6', 'WellService.UpdateThing: Thing needs string etag'],
    ['string etag = 2', 'string mark = 2', 'WellService.PauseThing: PauseThingRequest needs string etag'],
  ],
  'batch-of-requests': [
    [
      'repeated UpdateThingRequest requests',
      'repeated Thing things',
      'WellService.BatchUpdateThings: BatchUpdateThingsRequest needs repeated UpdateThingRequest requests',
    ],
  ],
  'reads-without-effects': [
    [
      'returns (ListThingsResponse) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }',
      'returns (ListThingsResponse);',
      'WellService.ListThings: a read needs idempotency_level = NO_SIDE_EFFECTS',
    ],
    [
      'returns (PauseThingResponse);',
      'returns (PauseThingResponse) {\n    option idempotency_level = NO_SIDE_EFFECTS;\n  }',
      'WellService.PauseThing: with idempotency_level = NO_SIDE_EFFECTS it needs the verb of a read: ' +
        'Get, BatchGet, Find, List, Search, Sync, Watch, Preview, Explain',
    ],
  ],
};
const mutations = Object.entries(mutationsOf).flatMap(([rule, all]) =>
  all.map(([from, to, finding]) => ({ rule, from, to, finding })),
);

/** The packages differ, so that one call of buf builds all of them. */
const nameOf = (index: number): string => `c${index}`;
const namedAs = (text: string, name: string): string =>
  text.replaceAll('well', name).replaceAll(
    'Well',
    name.replace(/^./, (letter) => letter.toUpperCase()),
  );

let folder: string;
let findings: Map<string, string[]>;

function write(name: string, text: string): void {
  mkdirSync(join(folder, `taskflow/${name}/v1`), { recursive: true });
  writeFileSync(join(folder, `taskflow/${name}/v1/${name}.proto`), namedAs(text, name));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'taskflow-lint-'));
  symlinkSync(join(root, 'proto/third_party'), join(folder, 'third_party'));
  mkdirSync(join(folder, 'taskflow'));
  symlinkSync(join(root, 'proto/taskflow/policy'), join(folder, 'taskflow/policy'));
  writeFileSync(
    join(folder, 'buf.yaml'),
    'version: v2\nmodules:\n  - path: .\n    excludes: [third_party]\n  - path: third_party\n',
  );
  write('well', good);
  write('other', 'syntax = "proto3";\npackage taskflow.other.v1;\n');
  mutations.forEach(({ from, to }, index) => {
    if (good.replace(from, '') === good) throw new Error(`the well-made contract has no ${from}`);
    write(
      nameOf(index),
      good.replace(from, () => to),
    );
  });
  execFileSync(join(root, 'node_modules/.bin/buf'), ['build', '-o', 'set.binpb'], { cwd: folder, stdio: 'pipe' });
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(folder, 'set.binpb')));
  findings = Map.groupBy(lintContract(createFileRegistry(set)).map(toLine), (line) => line.split('/')[1] ?? '') as Map<
    string,
    string[]
  >;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the lint of the contract's rules", () => {
  it('says nothing about a contract that keeps them', () => {
    expect(findings.get('well')).toBeUndefined();
  });

  it.each(mutations.map(({ rule, to, finding }, index) => [rule, to.trim(), finding, index] as const))(
    '%s: refuses %j',
    (rule, _to, finding, index) => {
      const name = nameOf(index);
      expect(findings.get(name)).toEqual([`taskflow/${name}/v1/${name}.proto: ${namedAs(finding, name)} (${rule})`]);
    },
  );
});
