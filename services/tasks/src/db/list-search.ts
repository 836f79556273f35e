import type { Parameters } from './list-filters.ts';
import type { Source } from './list-sources.ts';

/** As `task_words` folds texts before it takes their words. */
const folded = (text: string): string => `casefold(normalize(${text}, nfkc) collate pg_unicode_fast)`;

/** As many characters of a word as count. */
const wordLength = 40;

/*
 * Whether a task that is passed holds all words of a text, told by its text itself: computing its words, as the index does,
 * takes many times as long. A word of the search must stand where a word begins: behind a space, and when it begins with a
 * letter or a digit, behind anything else than these.
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
};

/**
 * What the index of words finds the same tasks by. It holds every word together with its person, so it is read as far as that
 * person's words match, and nothing of others.
 */
export function findsWords(text: string, source: Source, parameters: Parameters): string {
  return `${words[source]} @@ task_query($1::uuid, ${parameters.add(text, 'text')})`;
}
