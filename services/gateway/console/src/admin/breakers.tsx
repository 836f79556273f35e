import { useState } from 'react';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { BreakerState, type Breaker } from '#client/resilience';
import { Button } from '../ui/button.tsx';
import { SelectField, TextField } from '../ui/field.tsx';
import { FormDialog } from '../ui/form-dialog.tsx';
import { Empty } from '../ui/notice.tsx';
import { Paged, usePaged } from '../ui/paged.tsx';
import { Section, Table } from '../ui/table.tsx';
import { When } from '../ui/when.tsx';
import { durationInWords } from './durations.ts';
import { breakersOf, serviceNames, type ServiceName } from './services.ts';
import { useAction } from './use-action.ts';

const states: Partial<Record<BreakerState, { label: string; tone: string }>> = {
  [BreakerState.CLOSED]: { label: 'Closed', tone: 'good' },
  [BreakerState.HALF_OPEN]: { label: 'Trying', tone: 'warn' },
  [BreakerState.OPEN]: { label: 'Open', tone: 'danger' },
};

const methodOf = ({ method }: Breaker): string => method.split('/').at(-1) ?? method;

function Override({ service, breaker, onClose }: { service: ServiceName; breaker: Breaker; onClose: () => void }) {
  const { run } = useAction(['breakers', service]);
  const [state, setState] = useState<BreakerState>(BreakerState.OPEN);
  const [minutes, setMinutes] = useState(15);
  const { callee, method } = breaker;
  return (
    <FormDialog
      title={`Force ${methodOf(breaker)} of ${callee}`}
      verb="Force"
      onClose={onClose}
      work={async (fields) => {
        const ttl = { seconds: BigInt(minutes * 60) };
        await breakersOf(service).overrideBreaker({ callee, method, state, ttl, reason: fields('reason') });
        run('The breaker is forced', async () => undefined);
      }}
    >
      <SelectField
        label="To"
        choices={[
          { value: BreakerState.OPEN, label: 'Open: no call is sent' },
          { value: BreakerState.CLOSED, label: 'Closed: every call is sent' },
        ]}
        value={state}
        onChoose={setState}
      />
      <SelectField
        label="For"
        choices={[5, 15, 60].map((value) => ({ value, label: `${value} minutes` }))}
        value={minutes}
        onChoose={setMinutes}
      />
      <TextField label="Why" name="reason" required maxLength={200} hint="It is in the audit log." />
    </FormDialog>
  );
}

function BreakerRow({ service, breaker }: { service: ServiceName; breaker: Breaker }) {
  const [forcing, setForcing] = useState(false);
  const { run } = useAction(['breakers', service]);
  const { label, tone } = states[breaker.state] ?? { label: 'Unknown', tone: '' };
  const { callee, method, override, limits } = breaker;
  return (
    <tr>
      <td>
        <strong>{callee}</strong> {methodOf(breaker)}
      </td>
      <td>
        <span className={`badge ${tone}`}>{label}</span>{' '}
        {override !== undefined && (
          <span className="badge info" title={override.reason}>
            Forced{override.expireTime !== undefined && <> until <When ms={timestampMs(override.expireTime)} /></>}
          </span>
        )}
      </td>
      <td className="number">{String(breaker.answeredCount)}</td>
      <td className="number">{String(breaker.failedCount)}</td>
      <td className="number">{String(breaker.refusedCount)}</td>
      <td className="number">
        {breaker.inFlightCount} of {limits?.maxInFlight ?? 0}
      </td>
      <td>{durationInWords(limits?.deadline)}</td>
      <td className="end">
        {override === undefined ? (
          <Button compact onClick={() => setForcing(true)} aria-label={`Force ${methodOf(breaker)} of ${callee}`}>
            Force
          </Button>
        ) : (
          <Button
            compact
            onClick={() => run('The breaker is released', () => breakersOf(service).releaseBreaker({ callee, method }))}
          >
            Release
          </Button>
        )}
        {forcing && <Override service={service} breaker={breaker} onClose={() => setForcing(false)} />}
      </td>
    </tr>
  );
}

const columns = ['Calls of', 'State', 'Answered', 'Failed', 'Refused', 'Under way', 'Deadline', ''];

function OfService({ service }: { service: ServiceName }) {
  const paged = usePaged<Breaker>({
    queryKey: ['breakers', service],
    fetchPage: async (pageToken, signal) => {
      const { breakers, nextPageToken } = await breakersOf(service).listBreakers({ pageToken }, { signal });
      return { items: breakers, nextPageToken };
    },
    refetchMs: 3000,
  });
  return (
    <Section title={`What ${service} calls`}>
      <Paged paged={paged} empty={<Empty icon="shield" title="It calls no other service" />}>
        {(breakers) => (
          <Table label={`Breakers of ${service}`} columns={columns}>
            {breakers.map((breaker) => (
              <BreakerRow key={`${breaker.callee} ${breaker.method}`} service={service} breaker={breaker} />
            ))}
          </Table>
        )}
      </Paged>
    </Section>
  );
}

export function Breakers() {
  return serviceNames.map((service) => <OfService key={service} service={service} />);
}
