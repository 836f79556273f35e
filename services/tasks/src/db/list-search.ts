import type { Parameters } from './list-statements.ts';
import { streamIn, type Source } from './list-ranges.ts';

/** The same folding as in `task_words`. */
const folded = (text: string): string => `casefold(normalize(${text}, nfkc) collate pg_unicode_fast)`;

/** Only this many characters of a word count. */
const wordLength = 40;

/*
 * Tests a task for all words of a search by its text. Computing the task's words, as the index does, takes many times as long.
 * A word matches at the beginning of a word: after a space, or, when it begins with a letter or digit, after any other sign.
 */
export function holdsWords(text: string, parameters: Parameters): string {
  const patterns = `
    select array_agg(case when word ~ '^[[:alnum:]]' then '[^[:alnum:]]' else '[[:space:]]' end
      || regexp_replace(left(word, ${wordLength}), '([!-/:-@[-\`{-~])', '\\\\\\1', 'g'))
    from regexp_split_to_table(${folded(parameters.add(text, 'text'))}, '[[:space:]]+') as word where word <> ''`;
  return `(' ' || ${folded(`title || ' ' || description`)}) ~ all ((${patterns})::text[])`;
}

const words: Readonly<Record<Source, string>> = {
  owned: 'task_words(owner_id, title, description)',
  assigned: 'delete_time is null and assignee_id <> owner_id and task_words(assignee_id, title, description)',
  project: 'project_id is not null and task_words(project_id, title, description)',
  shared: 'project_id is not null and task_words(project_id, title, description)',
};

/** Finds the same tasks by the index of words, which stores each word with its person, so that it reads nothing of others. */
export function findsWords(text: string, source: Source, parameters: Parameters): string {
  return `${words[source]} @@ task_query(${streamIn(source)}, ${parameters.add(text, 'text')})`;
}
