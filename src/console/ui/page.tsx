import { type ReactNode, useEffect } from "react";

interface PageProps {
  title: string;
  /** One line on where things stand. */
  summary?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, summary, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Larder`;
  }, [title]);
  return (
    <div className="page">
      <header className="page-head">
        <div className="grow">
          <h1>{title}</h1>
          {summary && <p className="soft">{summary}</p>}
        </div>
        {actions && <div className="row wrap">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
