import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { formatWhole } from '../model/format.ts';
import { VIEWS, placeLink, readPlace } from '../model/place.ts';
import type { Place, View } from '../model/place.ts';
import { EliminationsView } from './eliminations-view.tsx';
import { KeyForm } from './key-form.tsx';
import { LiveView } from './live-view.tsx';
import { MinerView } from './miner-view.tsx';
import { MinersView } from './miners-view.tsx';
import { ServerView } from './server-view.tsx';
import { useSession } from './session.ts';
import type { Session } from './session.ts';
import { StatisticsView } from './statistics-view.tsx';

/** Where the tab keeps the key: it ends with the tab and is never part of an address. */
const KEY_NAME = 'ptn-api-key';

const TITLES: Readonly<Record<View, string>> = {
  live: 'Live orders',
  miners: 'Miners',
  statistics: 'Statistics',
  eliminations: 'Eliminations',
  server: 'Server',
};

const CONNECTION_TEXTS = {
  connecting: 'Connecting',
  connected: 'Connected',
  interrupted: 'Interrupted, retrying',
} as const;

function usePlace(): Place {
  const [place, setPlace] = useState(() => readPlace(location.hash));
  useEffect(() => {
    const look = (): void => {
      setPlace(readPlace(location.hash));
    };
    addEventListener('hashchange', look);
    return () => {
      removeEventListener('hashchange', look);
    };
  }, []);
  return place;
}

export function App() {
  const [apiKey, setApiKey] = useState(() => sessionStorage.getItem(KEY_NAME));
  const [attempt, setAttempt] = useState(0);
  const place = usePlace();
  const session = useSession(apiKey, place.view === 'miners' ? place.hotkey : null, attempt);

  const open = useCallback((given: string) => {
    sessionStorage.setItem(KEY_NAME, given);
    setApiKey(given);
  }, []);
  const forget = useCallback(() => {
    sessionStorage.removeItem(KEY_NAME);
    setApiKey(null);
  }, []);

  // Shown on the form, where it stays after the session of the refused key has ended.
  const [refusal, setRefusal] = useState<string | null>(null);
  const { phase, failure } = session;
  useEffect(() => {
    if (phase === 'started') setRefusal(null);
    if (failure?.isKeyRefused !== true) return;
    setRefusal(failure.message);
    forget();
  }, [phase, failure, forget]);

  if (apiKey === null || failure?.isKeyRefused === true) return <KeyForm failure={refusal} onKey={open} />;
  if (failure !== null) {
    return (
      <Failure
        message={failure.message}
        onRetry={() => {
          setAttempt(attempt + 1);
        }}
        onForget={forget}
      />
    );
  }
  return <Shell session={session} place={place} onForget={forget} />;
}

/** What is no fault of the key, which is kept. */
function Failure(props: { message: string; onRetry: () => void; onForget: () => void }) {
  const { message, onRetry, onForget } = props;
  return (
    <main class="key-page">
      <div class="card">
        <h1>Not connected</h1>
        <p role="alert" class="failure">
          {message}
        </p>
        <button type="button" class="primary" onClick={onRetry}>
          Try again
        </button>
        <button type="button" onClick={onForget}>
          Forget key
        </button>
      </div>
    </main>
  );
}

function Shell({ session, place, onForget }: { session: Session; place: Place; onForget: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const isFirst = useRef(true);
  const title = place.view === 'miners' && place.hotkey !== null ? 'Miner' : TITLES[place.view];
  useLayoutEffect(() => {
    document.title = `${title} · PTN dashboard`;
    // After a change of view a screen reader goes on at its heading; at the start the page's own beginning is right.
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
  }, [title, place.hotkey]);
  const { state } = session;
  const connection = state?.connection ?? 'connecting';
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          event.preventDefault();
          heading.current?.focus();
        }}
      >
        Skip to the content
      </a>
      <header>
        <span class="brand">PTN</span>
        <nav aria-label="Views">
          {VIEWS.map((view) => (
            <a key={view} href={placeLink(view)} aria-current={view === place.view ? 'page' : undefined}>
              {view === 'live' ? 'Live' : TITLES[view]}
            </a>
          ))}
        </nav>
        <div class="state">
          <span role="status" class={`connection connection-${connection}`}>
            {CONNECTION_TEXTS[connection]}
          </span>
          <span class="muted">
            order <span id="sequence">{formatWhole(state?.sequence)}</span>
          </span>
          <button type="button" onClick={onForget}>
            Forget key
          </button>
        </div>
      </header>
      <main id="content">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {session.phase === 'starting' ? (
          <Starting state={state} wsUrl={session.wsUrl} />
        ) : (
          <Content session={session} place={place} />
        )}
      </main>
      <footer class="muted">
        Times are UTC. Charts:{' '}
        <a href="https://www.tradingview.com/" rel="noreferrer noopener" target="_blank">
          TradingView Lightweight Charts™
        </a>
        . <a href="licenses.md">Licences</a>
      </footer>
    </>
  );
}

/** Until the first positions are there; what hinders that is said, as it may last. */
function Starting({ state, wsUrl }: { state: Session['state']; wsUrl: string }) {
  const fault = state?.lastFault ?? null;
  return (
    <div role="status">
      <p>Reading all positions …</p>
      {fault !== null && (
        <p class="failure">
          This has not worked yet and is tried again: {fault.message}. The page needs the server’s REST
          address and its stream at <code>{wsUrl}</code>.
        </p>
      )}
    </div>
  );
}

function Content({ session, place }: { session: Session; place: Place }) {
  switch (place.view) {
    case 'live':
      return <LiveView tape={session.tape} />;
    case 'miners':
      return place.hotkey === null ? (
        <MinersView miners={session.miners} />
      ) : (
        <MinerView
          key={place.hotkey}
          hotkey={place.hotkey}
          watched={session.watched}
          statistics={session.statistics}
        />
      );
    case 'statistics':
      return <StatisticsView rows={session.statistics} hotkey={place.hotkey} />;
    case 'eliminations':
      return <EliminationsView rows={session.eliminations} />;
    case 'server':
      return <ServerView session={session} />;
  }
}
