import { Migration } from '#libs/db';

/** As many characters of a word as count, as in 0003-lists. */
const wordLength = 40;
/** The first bytes of every word in an index: the person, in 22 characters. */
const personKey = `left(encode(uuid_send(person), 'base64'), 22)`;

/*
 * The function returns what it returned before, so its indexes stay valid and releases may run side by side. Every write of a
 * task computes it once or twice. Its query was set up anew by each statement, which took longer than all the rest.
 */
export class FasterWords extends Migration {
  /*
   * chr(1) stands where a word begins within another. Most texts have neither such a place nor a space that is not a blank, and
   * are split without a regular expression.
   */
  override up(): void {
    this.addSql(`
      create or replace function task_words(person uuid, title text, description text) returns tsvector
      language plpgsql immutable strict parallel safe cost 2000 as $$
      declare
        key constant text := ${personKey};
        folded constant text collate pg_unicode_fast :=
          casefold(normalize(title || ' ' || description, nfkc) collate pg_unicode_fast);
        tokens text[];
        token text;
        parts text[];
        words text[] := '{}';
      begin
        if folded ~ '[^[:alnum:][:space:]][[:alnum:]]|[^ \\S]|\\x01' then
          tokens := regexp_split_to_array(
            regexp_replace(folded, '([^[:alnum:][:space:]])([[:alnum:]])', '\\1' || chr(1) || '\\2', 'g'), '[[:space:]]+');
        else
          tokens := string_to_array(folded, ' ');
        end if;
        foreach token in array tokens loop
          if token = '' then continue; end if;
          if strpos(token, chr(1)) = 0 then
            words := words || (key || left(token, ${wordLength}));
            continue;
          end if;
          parts := string_to_array(token, chr(1));
          for part in 1 .. cardinality(parts) loop
            words := words || (key || left(array_to_string(parts[part:part + ${wordLength}], ''), ${wordLength}));
          end loop;
        end loop;
        return array_to_tsvector(words);
      end $$`);
  }

  override down(): void {
    this.addSql(`
      create or replace function task_words(person uuid, title text, description text) returns tsvector
      language sql immutable strict parallel safe cost 2000 as $$
        select array_to_tsvector(array(
          select ${personKey} || left(array_to_string(parts[part:part + ${wordLength}], ''), ${wordLength})
          from (
            select parts, generate_subscripts(parts, 1) as part
            from (select string_to_array(regexp_split_to_table(regexp_replace(
              casefold(normalize(title || ' ' || description, nfkc) collate pg_unicode_fast),
              '([^[:alnum:][:space:]])([[:alnum:]])', '\\1' || chr(1) || '\\2', 'g'), '[[:space:]]+'), chr(1)) as parts) as tokens
          ) as words))
      $$`);
  }
}
