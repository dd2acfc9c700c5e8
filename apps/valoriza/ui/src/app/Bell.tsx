/** What happened while one was not looking: a bell with a count, and the list behind it. */

import { useEffect, useState } from 'react';
import { type Notification, notifications } from '../api/notifications';
import { explain } from '../api/problem';
import { momentName } from '../domain/calendar';
import { Dialog } from '../ui/Dialog';
import { Icon, type IconName } from '../ui/Icon';
import { Link } from '../ui/Link';
import { Empty, Failure, LoadingNote, Skeleton } from '../ui/states';
import { useToast } from '../ui/toasts';
import { useCounts } from './counts';

export function Bell({ onOpen }: { onOpen: () => void }) {
  const { unread } = useCounts();
  const label = unread === 0 ? 'Notificações' : unread === 1 ? 'Notificações: 1 não lida' : `Notificações: ${unread} não lidas`;
  return (
    <button type="button" className="icon-button bell" aria-label={label} aria-haspopup="dialog" onClick={onOpen}>
      <Icon name="bell" />
      {unread > 0 && (
        <span className="badge" aria-hidden="true">
          {unread > 99 ? '99+' : unread}
        </span>
      )}
    </button>
  );
}

type State = { items: Notification[] | null; cursor: string | null; error: unknown };

export function NotificationsDialog({ onClose }: { onClose: () => void }) {
  const { refresh } = useCounts();
  const say = useToast();
  const [{ items, cursor, error }, setState] = useState<State>({ items: null, cursor: null, error: null });

  const load = async (from: string | null) => {
    try {
      const page = await notifications.page(from);
      setState((it) => ({ items: [...(from ? (it.items ?? []) : []), ...page.items], cursor: page.next_cursor, error: null }));
    } catch (failure) {
      setState((it) => ({ ...it, error: failure }));
    }
  };
  useEffect(() => void load(null), []);

  const read = async (which: { ids: string[] } | { all: true }) => {
    const isMeant = (it: Notification) => 'all' in which || which.ids.includes(it.id);
    try {
      await notifications.read(which);
      const now = new Date().toISOString();
      setState((it) => ({ ...it, items: it.items?.map((of) => (isMeant(of) ? { ...of, read_at: of.read_at ?? now } : of)) ?? null }));
      refresh();
    } catch (failure) {
      say(explain(failure), { tone: 'error' });
    }
  };

  return (
    <Dialog title="Notificações" onClose={onClose}>
      <div className="notifications">
        {items === null ? (
          error ? <Failure error={error} onRetry={() => void load(null)} /> : <Loading />
        ) : items.length === 0 ? (
          <Empty icon="bell" title="Nada de novo">
            <p>Avisos de orçamento, automações, importações e relatórios aparecem aqui.</p>
          </Empty>
        ) : (
          <>
            {items.some((it) => it.read_at === null) && (
              <button type="button" className="button button-small notifications-all" onClick={() => void read({ all: true })}>
                Marcar todas como lidas
              </button>
            )}
            <ul>
              {items.map((it) => (
                <NotificationItem key={it.id} it={it} onRead={() => void read({ ids: [it.id] })} onClose={onClose} />
              ))}
            </ul>
            {cursor !== null && (
              <button type="button" className="button button-small" onClick={() => void load(cursor)}>
                Carregar mais
              </button>
            )}
            {error !== null && <Failure error={error} onRetry={() => void load(cursor)} />}
          </>
        )}
      </div>
    </Dialog>
  );
}

function Loading() {
  return (
    <>
      <LoadingNote />
      <Skeleton rows={3} />
    </>
  );
}

const ICONS: Record<Notification['kind'], IconName> = { budget: 'target', automation: 'bolt', import: 'upload', report: 'report' };

/** Only addresses of this page are followed. */
function isOwn(link: string | null): link is string {
  return link !== null && /^\/(?!\/)/.test(link);
}

function NotificationItem({ it, onRead, onClose }: { it: Notification; onRead: () => void; onClose: () => void }) {
  const isUnread = it.read_at === null;
  const follow = () => {
    if (isUnread) onRead();
    onClose();
  };
  return (
    <li className={isUnread ? 'notification notification-unread' : 'notification'}>
      <span className="notification-icon">
        <Icon name={ICONS[it.kind] ?? 'bell'} size={18} />
      </span>
      <div>
        <h3>
          {isUnread && <span className="visually-hidden">Não lida: </span>}
          {isOwn(it.link) ? (
            <Link href={it.link} onClick={follow}>
              {it.title}
            </Link>
          ) : (
            it.title
          )}
        </h3>
        <p>{it.text}</p>
        <p className="muted">{momentName(it.created_at)}</p>
      </div>
      {isUnread && (
        <button type="button" className="icon-button" aria-label={`Marcar como lida: ${it.title}`} onClick={onRead}>
          <Icon name="check" size={18} />
        </button>
      )}
    </li>
  );
}
