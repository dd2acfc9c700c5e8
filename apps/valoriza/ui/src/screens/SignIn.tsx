import { type FormEvent, useEffect, useState } from 'react';
import { login } from '../api/session';
import { useSubmission } from '../app/form';
import { Field } from '../ui/Field';
import { FormError } from '../ui/FormError';
import { Link } from '../ui/Link';
import { Welcome } from './Welcome';

export function SignIn({ expired }: { expired: boolean }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const { form, busy, errors, failure, submit } = useSubmission((field) => field === 'email' || field === 'password');

  useEffect(() => {
    document.title = 'Entrar · valoriza';
  }, []);

  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const found = {
      ...(email.trim() === '' && { email: 'Informe seu e-mail.' }),
      ...(password === '' && { password: 'Informe sua senha.' }),
    };
    void submit(found, () => login(email.trim(), password));
  };

  return (
    <Welcome title="Entrar">
      {expired && (
        <p className="alert alert-info" role="status">
          Sua sessão terminou. Entre de novo para continuar.
        </p>
      )}
      <form ref={form} className="form" noValidate onSubmit={onSubmit}>
        <Field label="E-mail" error={errors.email}>
          {(control) => (
            <input {...control} type="email" autoComplete="username" autoFocus value={email} onChange={(event) => setEmail(event.target.value)} />
          )}
        </Field>
        <Field label="Senha" error={errors.password}>
          {(control) => (
            <input {...control} type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
          )}
        </Field>
        <FormError error={failure} />
        <button type="submit" className="button button-primary button-wide" disabled={busy}>
          {busy ? 'Entrando…' : 'Entrar'}
        </button>
      </form>
      <p className="welcome-other">
        Ainda não tem conta? <Link href="/criar-conta">Criar conta</Link>
      </p>
    </Welcome>
  );
}
