import { useQueries } from '@tanstack/react-query';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { ServerFeature, type GetServerInfoResponse } from '#client/server';
import { ErrorNotice, Loading } from '../ui/notice.tsx';
import { Section } from '../ui/table.tsx';
import { When } from '../ui/when.tsx';
import { infoOf, serviceNames } from './services.ts';

const inWords = (name = ''): string => name.toLowerCase().replaceAll('_', ' ');

function Facts({ info }: { info: GetServerInfoResponse }) {
  return (
    <>
      <p>
        <strong>{info.version}</strong> <span className="faint mono">{info.commit.slice(0, 12)}</span>
      </p>
      <p className="small soft">
        Schema <code>{info.schemaVersion}</code>
      </p>
      <p className="small soft">
        {info.startTime !== undefined && (
          <>
            Started <When ms={timestampMs(info.startTime)} />
          </>
        )}
      </p>
      <span className="row" style={{ gap: 4 }}>
        {info.features.map((feature) => (
          <span key={feature} className="badge">
            {inWords(ServerFeature[feature])}
          </span>
        ))}
      </span>
    </>
  );
}

export function Versions() {
  const answers = useQueries({
    queries: serviceNames.map((name) => ({
      queryKey: ['versions', name],
      queryFn: ({ signal }: { signal: AbortSignal }) => infoOf(name).getServerInfo({}, { signal }),
    })),
  });
  return (
    <Section title="Versions" lead="What runs, as a replica of each service says.">
      <div className="cards">
        {serviceNames.map((name, index) => {
          const { data, error, refetch } = answers[index] ?? {};
          return (
            <div key={name} className="tile">
              <h3>{name}</h3>
              {data !== undefined && <Facts info={data} />}
              {data === undefined && error === null && <Loading rows={3} />}
              {error !== null && error !== undefined && <ErrorNotice error={error} onRetry={() => void refetch?.()} />}
            </div>
          );
        })}
      </div>
    </Section>
  );
}
