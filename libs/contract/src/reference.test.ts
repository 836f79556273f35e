import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

const folder = new URL('../../../proto/docs/', import.meta.url);
const read = (page: string): string => readFileSync(new URL(page, folder), 'utf8');
const pages = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => [name, read(name)]),
);

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found);
const idsOf = (text: string): string[] => all(text, / id="([^"]+)"/g);

describe('J7: a link of the API reference', () => {
  it.each([...pages.keys()])('leads to something in %s', (page) => {
    const leadsNowhere = (target: string): boolean => {
      const [file = '', id] = target.split('#');
      const text = pages.get(file);
      return text === undefined || (id !== undefined && !idsOf(text).includes(id));
    };
    expect(all(pages.get(page) ?? '', /\]\(([^)]+)\)/g).filter(leadsNowhere)).toEqual([]);
  });

  it('can be told from the others of its page', () => {
    for (const text of pages.values()) {
      const ids = idsOf(text);
      expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    }
  });
});
