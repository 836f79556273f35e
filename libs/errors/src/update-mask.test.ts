import { describe, expect, it } from '@jest/globals';
import { changedFields, isMaskOf, schemaPerFields } from './index.ts';

const changeable = ['title', 'status', 'labels'] as const;
const isSet = (field: string): boolean => field === 'status';

describe('changedFields', () => {
  it.each([
    ['no mask', undefined, ['status']],
    ['an empty mask', [], ['status']],
    ['*', ['*'], ['title', 'status', 'labels']],
    ['names', ['labels', 'title', 'labels'], ['labels', 'title']],
    ['an unknown name', ['title', 'owner_id'], ['title']],
    ['* beside a name', ['*', 'title'], ['title']],
  ])('gives the fields of an update with %s', (_, mask, expected) => {
    expect(changedFields(changeable, mask, isSet)).toEqual(expected);
  });
});

describe('isMaskOf', () => {
  it.each([
    [undefined, true],
    [['*'], true],
    [['title', 'status'], true],
    [['title', 'title'], false],
    [['owner_id'], false],
    [['*', 'title'], false],
  ])('%j: %s', (mask, expected) => {
    expect(isMaskOf(changeable, mask)).toBe(expected);
  });
});

describe('schemaPerFields', () => {
  it('builds each set of fields once, in the order of all, however a mask orders or repeats them', () => {
    const built: string[] = [];
    const schemaOf = schemaPerFields(['title', 'labels', 'status'], (fields) => built.push(fields.join()));
    const [one, same, repeated] = [
      ['status', 'title'],
      ['title', 'status'],
      ['status', 'title', 'status'],
    ].map((fields) => schemaOf(fields as ('status' | 'title')[]));
    expect([same, repeated]).toEqual([one, one]);
    schemaOf(['labels']);
    expect(built).toEqual(['title,status', 'labels']);
  });
});
