import { useEffect, type ReactNode } from 'react';

interface PageHeadProps {
  title: string;
  /** Stays beside the title where there is little room; the rest goes below. */
  menu?: ReactNode;
  children?: ReactNode;
}

/** The title of a view, here and in the tab, and what concerns all of it. */
export function PageHead({ title, menu, children }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · TaskFlow`;
  }, [title]);
  return (
    <div className="page-head">
      <h1>{title}</h1>
      {children !== undefined && <div className="row">{children}</div>}
      {menu}
    </div>
  );
}
