import { useEffect, useSyncExternalStore } from 'react';
import * as session from '../api/session';
import { SignIn } from '../screens/SignIn';
import { SignUp } from '../screens/SignUp';
import { Failure, LoadingNote } from '../ui/states';
import { ToastProvider } from '../ui/toasts';
import { CatalogueProvider } from './catalogue';
import { ComposerProvider } from './composer';
import { CountsProvider } from './counts';
import { PermissionsProvider, permissionsOf } from './permissions';
import { forgetAll } from './resource';
import { navigate, usePath } from './router';
import { Shell } from './Shell';
import { SlowNote } from './SlowNote';

const OUTSIDE = new Set(['/entrar', '/criar-conta']);

export function App() {
  const state = useSyncExternalStore(session.subscribe, session.current);
  return (
    <ToastProvider>
      <SlowNote />
      {state.status === 'restoring' && <Restoring />}
      {state.status === 'unreachable' && <Failure error={state.error} onRetry={() => void session.restore()} />}
      {state.status === 'signed_out' && <Outside expired={state.expired} />}
      {state.status === 'signed_in' && <Inside key={state.tenant.id + state.user.id} who={state} />}
    </ToastProvider>
  );
}

function Restoring() {
  return (
    <main className="restoring">
      <span className="spinner" aria-hidden="true" />
      <LoadingNote />
    </main>
  );
}

/** Any address asks to sign in and is shown afterwards. */
function Outside({ expired }: { expired: boolean }) {
  const path = usePath();
  useEffect(forgetAll, []);
  return path === '/criar-conta' ? <SignUp /> : <SignIn expired={expired} />;
}

function Inside({ who }: { who: session.SignedIn }) {
  const path = usePath();
  const outside = OUTSIDE.has(path);
  useEffect(() => {
    if (outside) navigate('/', { replace: true });
  }, [outside]);
  if (outside) return null;
  return (
    <PermissionsProvider value={permissionsOf(who.role)}>
      <CatalogueProvider>
        <CountsProvider>
          <ComposerProvider>
            <Shell who={who} path={path} />
          </ComposerProvider>
        </CountsProvider>
      </CatalogueProvider>
    </PermissionsProvider>
  );
}
