import { Link } from '../ui/Link';
import { Empty } from '../ui/states';

export function NotFound() {
  return (
    <>
      <h1>Página não encontrada</h1>
      <Empty icon="search" title="Não há nada neste endereço">
        <Link href="/" className="button">
          Ir para a visão geral
        </Link>
      </Empty>
    </>
  );
}
