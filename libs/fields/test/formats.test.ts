import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';
import { descriptorOf, fieldOf, policies, ruleOf, type FieldRule } from '#libs/contract';
import { fieldTypes, maxTimeZoneCharacters } from '#libs/errors';
import { fieldsOf } from '#libs/fields';

const ruleOfField = (message: string, name: string): FieldRule => {
  const rule = ruleOf(fieldOf(message, name));
  if (rule === undefined) throw new Error(`${message}.${name} has no rule`);
  return rule;
};
const takes = (type: z.ZodType, value: string): boolean => type.safeParse(value).success;

const uuid = '0198C0DE-0000-7000-8000-00000000000a';
/** A good text with one character in the place of another, longer, or shorter. */
const near = (good: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc
      .tuple(fc.nat(good.length - 1), fc.constantFrom('', 'g', 'F', '-', '_', ' ', '\n', 'é', '0'))
      .map(([at, text]) => good.slice(0, at) + text + good.slice(at + 1)),
    fc.constantFrom(good, `${good}\n`, ` ${good}`, good.toLowerCase(), good + good),
  );

describe('a format', () => {
  it.each([
    ['UUID', ruleOfField('taskflow.tasks.v1.GetTaskRequest', 'task_id'), fieldTypes.uuid(), near(uuid)],
    [
      'REQUEST_ID',
      ruleOfField('taskflow.tasks.v1.CreateTaskRequest', 'request_id'),
      fieldTypes.idempotencyKey(),
      fc.oneof(near('a.B_9-z'), fc.constantFrom('a'.repeat(128), 'a'.repeat(129))),
    ],
  ] as const)('%s is read by the pattern of the contract', (format, rule, type, values) => {
    expect(rule.format).toBe(format);
    const pattern = new RegExp(`^(?:${rule.pattern})$`);
    // An empty request id is none.
    fc.assert(
      fc.property(
        values.filter((value) => value !== ''),
        (value) => expect([value, takes(type, value)]).toEqual([value, pattern.test(value)]),
      ),
      { numRuns: 500 },
    );
  });

  it('PAGE_TOKEN is as long as the contract says, in every list', () => {
    const lists = [...policies.values()]
      .map((policy) => descriptorOf(policy).input)
      .filter(({ fields }) => fields.some(({ name }) => name === 'page_token'))
      .map(({ typeName }) => typeName);
    expect(lists.length).toBeGreaterThanOrEqual(18);
    for (const list of lists) {
      const { format, maxLength = 0 } = ruleOfField(list, 'page_token');
      const type = fieldsOf(list).pageToken();
      const lengths = [maxLength, maxLength + 1].map((length) => takes(type, 'a'.repeat(length)));
      expect([list, format, ...lengths]).toEqual([list, 'PAGE_TOKEN', true, false]);
    }
  });

  it('TIME_ZONE has the length and the letters of the contract', () => {
    const { maxLength, pattern } = ruleOfField('taskflow.users.v1.User', 'time_zone');
    expect(maxLength).toBe(maxTimeZoneCharacters);
    for (const zone of Intl.supportedValuesOf('timeZone')) expect(zone).toMatch(new RegExp(`^(?:${pattern})$`));
  });
});
