import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fromBinary, toJson, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { descriptorOf, fileRegistry, ownerOf, policies, ruleOf, type MethodPolicy } from '#libs/contract';
import { accessTable, registerPeople, type People } from './access-table.ts';
import { valuesOf } from './field-values.ts';
import { fieldsSentTo, nameOf, withValue, type FieldPath } from './sent-fields.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';
import { encode, encodeAnswer } from './wire.ts';

interface Operation {
  requestBody: { content: Record<string, { schema: { $ref: string } }> };
  responses: Record<string, { content: Record<string, { schema: { $ref: string } }> }>;
}
const file = new URL('../../../proto/docs/openapi.json', import.meta.url);
const document = JSON.parse(readFileSync(file, 'utf8')) as { paths: Record<string, { post: Operation }> };

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true });
addFormats.default(ajv);
for (const name of ['int64', 'uint64', 'uint32', 'idn-email']) ajv.addFormat(name, true);
ajv.addVocabulary(['x-taskflow-reasons', 'openapi', 'info', 'servers', 'tags', 'paths', 'components']);
ajv.addSchema(document, 'api');

const schemaOf = (content: Record<string, { schema: { $ref: string } }> | undefined): ValidateFunction => {
  const [{ schema } = { schema: { $ref: '' } }] = Object.values(content ?? {});
  return ajv.compile({ $ref: `api${schema.$ref}` });
};
/** The document has one path for a method that every server offers. */
const documentedPath = ({ service, path }: MethodPolicy): string =>
  ownerOf(service) === undefined ? `/{server}${path}` : path;
const operationOf = (policy: MethodPolicy): Operation => document.paths[documentedPath(policy)]?.post as Operation;

const publicMethods = [...policies.values()]
  .filter((policy) => documentedPath(policy) in document.paths)
  .map((policy) => [policy.method, policy] as const);

const toJsonOf = (type: DescMessage, bytes: Uint8Array) =>
  toJson(type, fromBinary(type, bytes), { registry: fileRegistry });

/** What a validator says, shortly; empty when it says nothing. */
function faultsOf(validate: ValidateFunction, value: unknown): string[] {
  return validate(value)
    ? []
    : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

let testCluster: TestCluster;
let people: People;
beforeAll(async () => {
  testCluster = await startTestCluster();
  people = await registerPeople(testCluster);
});
afterAll(() => testCluster?.stop());

async function requestOf({ path, access }: MethodPolicy): Promise<Buffer> {
  const caller = access === 'admin' ? people.admin : people.owner;
  return encode(path, (await accessTable.get(path)?.request({ testCluster, people, caller })) ?? {});
}

describe('G9: the OpenAPI document is true of real calls', () => {
  it.each(publicMethods)('%s', async (_, policy) => {
    const { input, output } = descriptorOf(policy);
    const { requestBody, responses } = operationOf(policy);
    const request = await requestOf(policy);
    expect(faultsOf(schemaOf(requestBody.content), toJsonOf(input, request))).toEqual([]);
    const credentials = policy.access === 'public' ? {} : await testCluster.credentialsFor(policy, people.owner);
    const { outcome, response } = await testCluster.wire.call(policy.path, request, credentials);
    if (outcome !== 'OK') return expect(accessTable.get(policy.path)?.answers?.owner ?? outcome).toBe(outcome);
    const answer = toJsonOf(output, encodeAnswer(policy.path, response));
    expect(faultsOf(schemaOf(responses[200]?.content), answer)).toEqual([]);
  });
});

/** What JSON Schema cannot say: the range of a time, bytes in place of characters, and a mask that names a field. */
function isBeyondWords(policy: MethodPolicy, field: DescField, value: unknown): boolean {
  if (field.message !== undefined && field.fieldKind === 'message') return true;
  if (value === '' && /Update/.test(policy.method)) return true;
  const { maxBytes = 0 } = ruleOf(field) ?? {};
  return typeof value === 'string' && value.startsWith('é') && value.length <= maxBytes;
}

const isPadded = (value: unknown): boolean =>
  [value].flat().some((text) => typeof text === 'string' && text.trim() !== text);

describe('G12: the OpenAPI document refuses what the server refuses', () => {
  it.each(publicMethods)('%s', async (_, policy) => {
    const method = descriptorOf(policy);
    const validate = schemaOf(operationOf(policy).requestBody.content);
    const base = await requestOf(policy);
    const faults: string[] = [];
    const jsonWith = (path: FieldPath, value: unknown) =>
      toJsonOf(method.input, withValue(method.input, base, path, value));
    for (const path of fieldsSentTo(method)) {
      const field = path.at(-1) as DescField;
      const { kept, broken } = valuesOf(field);
      for (const value of kept.filter((each) => !isPadded(each)))
        faults.push(...faultsOf(validate, jsonWith(path, value)).map((fault) => `${nameOf(path)}: ${fault}`));
      for (const value of broken.filter((each) => !isBeyondWords(policy, field, each)))
        if (validate(jsonWith(path, value))) faults.push(`${nameOf(path)} takes ${String(value).slice(0, 40)}`);
    }
    expect(faults).toEqual([]);
  });
});
