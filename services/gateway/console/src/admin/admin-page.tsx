import { Redirect } from 'wouter';
import { PageHead } from '../shell/page-head.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Accounts } from './accounts.tsx';
import { Audit } from './audit.tsx';
import { Breakers } from './breakers.tsx';
import { ExplainOverdue } from './explain-overdue.tsx';
import { Queues } from './queues.tsx';
import { Schedules } from './schedules.tsx';
import { Versions } from './versions.tsx';

const parts = [
  { key: 'accounts', label: 'Accounts', View: Accounts },
  { key: 'schedules', label: 'Schedules', View: Schedules },
  { key: 'queues', label: 'Queues', View: Queues },
  { key: 'overdue', label: 'Why overdue?', View: ExplainOverdue },
  { key: 'breakers', label: 'Breakers', View: Breakers },
  { key: 'audit', label: 'Audit log', View: Audit },
  { key: 'versions', label: 'Versions', View: Versions },
];

export function AdminPage({ part = 'accounts' }: { part?: string | undefined }) {
  const found = parts.find(({ key }) => key === part);
  if (found === undefined) return <Redirect to="/admin/accounts" replace />;
  return (
    <div className="page">
      <div className="page-inner wide">
        <PageHead title="Administration" />
        <Tabs label="Administration" tabs={parts} current={part} base="/admin" />
        <found.View />
      </div>
    </div>
  );
}
