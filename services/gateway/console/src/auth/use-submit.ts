import { useState, type FormEvent } from 'react';

export interface Submission {
  busy: boolean;
  error: unknown;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
}

/** Carries out what a form asks for, once at a time, with the texts of its named fields. */
export function useSubmit(
  work: (fields: (name: string) => string, form: HTMLFormElement) => Promise<void>,
): Submission {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const onSubmit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (busy) return;
    const form = event.currentTarget;
    const data = new FormData(form);
    const fields = (name: string): string => {
      const value = data.get(name);
      return typeof value === 'string' ? value : '';
    };
    setBusy(true);
    setError(undefined);
    work(fields, form)
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return { busy, error, onSubmit };
}
