import { expect, it } from '@jest/globals';
import { holdsWords } from '../src/db/list-search.ts';
import { useTasks } from './start-tasks.ts';

const service = useTasks();

/** Latin and its signs, and what is special elsewhere: cases, compatibility forms, marks, digits, spaces, dashes, other scripts. */
const latin = Array.from({ length: 0x250 - 0x20 }, (_, index) => String.fromCodePoint(0x20 + index));
const special = [
  ...'ΣςİßẞﬁⅣ²①٣ǆŉᾳ한漢😀‐—',
  '\u0301',
  'e\u0301',
  '\u00a0',
  '\u2003',
  '\u3000',
  '\u200b',
  '\u2028',
  '\ufeff',
  '\u0085',
  '\t',
  '\n',
  'x'.repeat(45),
];

it('a list takes for a word what the index of words takes for one', async () => {
  const pairs = [...latin, ...special].flatMap((sign) => {
    const texts = [`x${sign}y a${sign} ${sign}b`, `q ${sign}${sign}z`];
    const searches = [sign, `${sign}b`, `a${sign}`, `${sign}${sign}`, 'y', 'z', `b ${sign}`, `${sign.repeat(2)}zz`];
    return texts.flatMap((title) => searches.map((search) => ({ title, search })));
  });
  const byText = holdsWords('', { values: [], add: () => 'search' });
  const differing = await service.sql(
    `select title, search from (
       select title, search, (${byText}) is true as by_text, (task_words($1::uuid, title, description) @@ task_query($1::uuid, search)) is true as by_index
       from (select title, '' as description, search from jsonb_to_recordset($2::jsonb) as pair (title text, search text)) asked) compared
     where by_text <> by_index`,
    ['0198c0de-0000-7000-8000-000000000001', JSON.stringify(pairs)],
  );
  expect(differing).toEqual([]);
});
