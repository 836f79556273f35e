import { Redirect } from 'wouter';
import { PageHead } from '../shell/page-head.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { ProfileSettings } from './profile.tsx';
import { SecuritySettings } from './security.tsx';
import { TokenSettings } from './tokens.tsx';
import { WebhookSettings } from './webhooks.tsx';

const parts = [
  { key: 'profile', label: 'Profile', View: ProfileSettings },
  { key: 'security', label: 'Security', View: SecuritySettings },
  { key: 'tokens', label: 'Personal tokens', View: TokenSettings },
  { key: 'webhooks', label: 'Webhooks', View: WebhookSettings },
];

export function SettingsPage({ part = 'profile' }: { part?: string | undefined }) {
  const found = parts.find(({ key }) => key === part);
  if (found === undefined) return <Redirect to="/settings/profile" replace />;
  return (
    <div className="page">
      <div className="page-inner">
        <PageHead title="Settings" />
        <Tabs label="Settings" tabs={parts} current={part} base="/settings" />
        <found.View />
      </div>
    </div>
  );
}
