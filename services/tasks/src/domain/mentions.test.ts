import { describe, expect, it } from '@jest/globals';
import { findMentions } from './mentions.ts';

const people = [
  { id: 'a', name: 'Ada' },
  { id: 'b', name: 'Ada Lovelace' },
  { id: 'c', name: 'Grace Hopper' },
  { id: 'd', name: 'grace hopper' },
  { id: 'e', name: 'Łukasz' },
  { id: 'f', name: '' },
];

describe('mentions', () => {
  it.each([
    ['please look, @Ada', ['a']],
    ['@ada lovelace: look', ['b']],
    ['@Ada Lovelaces view', ['a']],
    ['(@ADA)', ['a']],
    ['@Ada,@Łukasz!', ['a', 'e']],
    ['@Grace Hopper', ['c', 'd']],
    ['@\u0041da', ['a']],
    ['@Ａda', ['a']],
    ['@Adam and ada@example.com and x@Ada', []],
    ['@ Ada, @, @@', []],
    ['@@Ada', ['a']],
    ['Ada', []],
    ['', []],
  ])('of %j are those whose names stand behind an @', (text, ids) => {
    expect(findMentions(text, people)).toEqual(ids);
  });
});
