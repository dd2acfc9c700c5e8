/** The page around the screens: navigation, the person, and the keys that work everywhere. */

import { type ReactNode, useEffect, useRef, useState } from 'react';
import { logout, type SignedIn } from '../api/session';
import { Accounts } from '../screens/accounts/Accounts';
import { Automations } from '../screens/automations/Automations';
import { Budgets } from '../screens/budgets/Budgets';
import { Categories } from '../screens/categories/Categories';
import { Imports } from '../screens/imports/Imports';
import { NotFound } from '../screens/NotFound';
import { Overview } from '../screens/overview/Overview';
import { Reports } from '../screens/reports/Reports';
import { Review } from '../screens/review/Review';
import { Transactions } from '../screens/transactions/Transactions';
import { Icon, type IconName, Logo } from '../ui/Icon';
import { Link } from '../ui/Link';
import { Bell, NotificationsDialog } from './Bell';
import { useComposer } from './composer';
import { useCounts } from './counts';
import { ErrorBoundary } from './ErrorBoundary';
import { HelpDialog } from './HelpDialog';
import { usePermissions } from './permissions';
import { navigate } from './router';
import { SEARCH_ID, useShortcuts } from './shortcuts';

type Screen = { path: string; label: string; icon: IconName; element: ReactNode; counted?: 'review' };

/** On a narrow page the first few are at hand and the others behind "Mais". */
const SCREENS: readonly Screen[] = [
  { path: '/', label: 'Visão geral', icon: 'overview', element: <Overview /> },
  { path: '/transacoes', label: 'Transações', icon: 'list', element: <Transactions /> },
  { path: '/revisao', label: 'Revisão', icon: 'inbox', element: <Review />, counted: 'review' },
  { path: '/importar', label: 'Importar', icon: 'upload', element: <Imports /> },
  { path: '/contas', label: 'Contas', icon: 'wallet', element: <Accounts /> },
  { path: '/orcamentos', label: 'Orçamentos', icon: 'target', element: <Budgets /> },
  { path: '/categorias', label: 'Categorias', icon: 'tag', element: <Categories /> },
  { path: '/automacoes', label: 'Automações', icon: 'bolt', element: <Automations /> },
  { path: '/relatorios', label: 'Relatórios', icon: 'report', element: <Reports /> },
];

export function Shell({ who, path }: { who: SignedIn; path: string }) {
  const compose = useComposer();
  const [help, setHelp] = useState(false);
  const [notices, setNotices] = useState(false);
  const permissions = usePermissions();
  const screen = SCREENS.find((it) => it.path === path);
  const main = useArrival(path, screen?.label ?? 'Página não encontrada');

  useShortcuts({
    n: () => permissions.write && compose(null),
    '/': () => {
      if (!document.getElementById(SEARCH_ID)) navigate('/transacoes');
      // After the screen has arrived and taken the focus.
      requestAnimationFrame(() => document.getElementById(SEARCH_ID)?.focus());
    },
    '?': () => setHelp(true),
  });

  return (
    <>
      <a className="skip-link" href="#conteudo">
        Ir para o conteúdo
      </a>
      <div className="shell">
        <header className="topbar">
          <Link href="/" className="brand">
            <Logo /> <span>valoriza</span>
          </Link>
          {permissions.write && (
            <button type="button" className="button button-primary topbar-new" aria-keyshortcuts="n" onClick={() => compose(null)}>
              <Icon name="plus" /> <span>Nova transação</span>
            </button>
          )}
          <Navigation path={path} />
          <div className="who">
            <div className="who-names">
              <strong>{who.user.name}</strong>
              <span>{who.tenant.name}</span>
            </div>
            <Bell onOpen={() => setNotices(true)} />
            <button type="button" className="icon-button" aria-label="Ajuda e atalhos" aria-keyshortcuts="?" onClick={() => setHelp(true)}>
              <Icon name="help" />
            </button>
            <button type="button" className="icon-button" aria-label="Sair" onClick={signOut}>
              <Icon name="logout" />
            </button>
          </div>
        </header>
        <main id="conteudo" ref={main} tabIndex={-1}>
          <ErrorBoundary key={path}>{screen ? screen.element : <NotFound />}</ErrorBoundary>
        </main>
      </div>
      {notices && <NotificationsDialog onClose={() => setNotices(false)} />}
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </>
  );
}

function Navigation({ path }: { path: string }) {
  const counts = useCounts();
  const [more, setMore] = useState(false);
  useEffect(() => setMore(false), [path]);
  return (
    <nav className={more ? 'nav nav-open' : 'nav'} aria-label="Principal">
      {SCREENS.map((it) => {
        const count = it.counted ? counts[it.counted] : 0;
        return (
          <Link key={it.path} href={it.path} {...(it.path === path && { 'aria-current': 'page' as const })}>
            <Icon name={it.icon} /> <span>{it.label}</span>
            {count > 0 && (
              <span className="badge">
                {count > 99 ? '99+' : count}
                <span className="visually-hidden"> a revisar</span>
              </span>
            )}
          </Link>
        );
      })}
      <button type="button" className="nav-more" aria-expanded={more} onClick={() => setMore(!more)}>
        <Icon name="more" /> <span>Mais</span>
      </button>
    </nav>
  );
}

function signOut(): void {
  // The session ends here at once; what the server answers matters to no one.
  void logout();
  navigate('/entrar');
}

/** Names the page and, on going from screen to screen, moves the focus there, as a page load would. */
function useArrival(path: string, label: string) {
  const main = useRef<HTMLElement>(null);
  const previous = useRef(path);
  useEffect(() => {
    document.title = `${label} · valoriza`;
    if (previous.current === path) return;
    previous.current = path;
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [path, label]);
  return main;
}
