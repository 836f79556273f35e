import { useEffect, type ReactNode } from 'react';

interface PageHeadProps {
  title: string;
  children?: ReactNode;
}

/** The title of a view, here and in the tab, and what concerns all of it. */
export function PageHead({ title, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · TaskFlow`;
  }, [title]);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      <div className="row">{children}</div>
    </div>
  );
}
