import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { AuditActorKind, AuditOutcome, AuditTargetKind, type AuditEvent } from '#client/audit';
import { Segmented, TextField } from '../ui/field.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section, Table } from '../ui/table.tsx';
import { Moment } from '../ui/when.tsx';
import { auditOf, serviceNames, type ServiceName } from './services.ts';

const inWords = (name = ''): string => name.toLowerCase().replaceAll('_', ' ');

function EventRow({ event }: { event: AuditEvent }) {
  const refused = event.outcome === AuditOutcome.REFUSED;
  const details = event.details.map(({ name, value }) => `${inWords(name)} ${value}`).join(', ');
  return (
    <tr>
      <td>{event.createTime !== undefined && <Moment ms={timestampMs(event.createTime)} />}</td>
      <td>
        <strong>{inWords(event.action)}</strong>
        {details !== '' && <div className="faint">{details}</div>}
      </td>
      <td>
        <span className={`badge ${refused ? 'danger' : 'good'}`} title={event.reason}>
          {refused ? event.reason || 'Refused' : 'Done'}
        </span>
      </td>
      <td title={event.actorId}>
        {inWords(AuditActorKind[event.actorKind])} <span className="faint mono">{event.actorId.slice(-8)}</span>
      </td>
      <td title={event.targetId}>
        {inWords(AuditTargetKind[event.targetKind])} <span className="faint mono">{event.targetId.slice(-8)}</span>
      </td>
      <td className="mono">{event.address}</td>
    </tr>
  );
}

export function Audit() {
  const [service, setService] = useState<ServiceName>('auth');
  const [action, setAction] = useState('');
  const paged = usePaged<AuditEvent>({
    queryKey: ['audit', service, action],
    fetchPage: async (pageToken, signal) => {
      const { events, nextPageToken } = await auditOf(service).listAuditEvents({ pageToken, action }, { signal });
      return { items: events, nextPageToken };
    },
  });
  return (
    <Section title="Audit log" lead="Who did what, and what was refused. Nobody can change it unnoticed.">
      <div className="row" style={{ alignItems: 'flex-end' }}>
        <Segmented
          label="Service"
          choices={serviceNames.map((value) => ({ value, label: value }))}
          value={service}
          onChoose={setService}
        />
        <TextField
          label="Action"
          placeholder="such as account_created"
          onBlur={({ target }) => setAction(target.value.trim())}
          onKeyDown={({ key, currentTarget }) => key === 'Enter' && setAction(currentTarget.value.trim())}
        />
      </div>
      <Paged paged={paged} empty={<Empty icon="shield" title="Nothing of this kind" />}>
        {(events) => (
          <Table label="Audit events" columns={['When', 'What', 'Outcome', 'Who', 'To what', 'From']}>
            {events.map((event) => (
              <EventRow key={event.id} event={event} />
            ))}
          </Table>
        )}
      </Paged>
    </Section>
  );
}
