//! Starts what is measured: the upstream, nginx, haproxy, varnish, and several of mare.

mod cached;

use std::fs::{File, create_dir_all, write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

use crate::plan::{Subject, Workload};
use crate::process::{Process, command, find, free_ports};
use crate::{Options, Program, http};

/// A proxy's worker processes or threads: what the prototypes were measured with.
const WORKERS: usize = 2;

/// Where a subject is reached, and whose CPU time is its.
pub(crate) struct Endpoint {
    pub(crate) subject: Subject,
    pub(crate) port: u16,
    pub(crate) process: u32,
}

#[derive(Default)]
pub(crate) struct Subjects {
    processes: Vec<Process>,
    endpoints: Vec<Endpoint>,
    /// What [`Subject::wants_token`] sends.
    pub(crate) token: String,
}

impl Subjects {
    pub(crate) fn endpoint(&self, subject: Subject) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.subject == subject)
    }

    /// Everything that was started for the measurement.
    pub(crate) fn processes(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().map(Process::id)
    }

    pub(crate) async fn stop(self) {
        // The upstream was first and goes last.
        for process in self.processes.into_iter().rev() {
            process.stop().await;
        }
    }

    fn add(&mut self, subjects: &[Subject], port: u16, process: Process) {
        let id = process.id();
        self.processes.push(process);
        self.endpoints.extend(subjects.iter().map(|subject| Endpoint {
            subject: *subject,
            port,
            process: id,
        }));
    }
}

/// Starts what `options` ask for and checks that everything answers rightly.
pub(crate) async fn start(options: &Options, folder: &Path) -> Result<Subjects> {
    let mut subjects = Subjects { token: cached::token()?, ..Subjects::default() };
    let files = folder.join("files");
    write_files(&files)?;
    let [upstream, nginx, haproxy, varnish] = free_ports()?;

    let process = start_upstream(folder, upstream).await?;
    // Always there, but a subject only if asked for.
    let direct: &[Subject] = if options.only.contains(&Program::Direct) { &[Subject::Direct] } else { &[] };
    subjects.add(direct, upstream, process);
    if options.only.contains(&Program::Nginx) {
        let process = start_nginx(folder, nginx, upstream, &files).await?;
        subjects.add(&[Subject::Nginx, Subject::NginxTuned], nginx, process);
    }
    if options.only.contains(&Program::Haproxy) {
        let process = start_haproxy(folder, haproxy, upstream).await?;
        subjects.add(&[Subject::Haproxy], haproxy, process);
    }
    if options.only.contains(&Program::Varnish) {
        let process = cached::start_varnish(folder, varnish, upstream).await?;
        subjects.add(&[Subject::Varnish], varnish, process);
    }
    if let Some(mare) = options.mare.as_deref().filter(|_| options.only.contains(&Program::Mare)) {
        let url = format!("[[routes]]\nmatch = \"/*\"\nurl = \"http://127.0.0.1:{upstream}\"\n");
        let serve = format!("[[routes]]\nmatch = \"/*\"\nfiles = \"{}\"\n", files.display());
        let service = service("scale = { min = 1, max = 1, concurrency = 1000 }")?;
        for (subject, name, manifest) in [
            (Subject::MareUrl, "mare-url", url),
            (Subject::MareService, "mare-service", service),
            (Subject::MareFiles, "mare-files", serve),
        ] {
            let (process, port) = start_mare(mare, folder, name, &manifest).await?;
            subjects.add(&[subject], port, process);
        }
        cached::start(&mut subjects, mare, folder, upstream).await?;
    }
    check_answers(&subjects).await?;
    Ok(subjects)
}

/// The part of a manifest whose only route leads to this program's upstream, run by mare.
pub(crate) fn service(scale: &str) -> Result<String> {
    let own = std::env::current_exe()?;
    let own = own.to_str().context("the benchmark's own path is not UTF-8")?;
    let run = format!("'{own}' upstream");
    Ok(format!(
        "[services.canned]\nrun = {run:?}\n{scale}\n\n\
         [[routes]]\nmatch = \"/*\"\nservice = \"canned\"\n"
    ))
}

/// Runs `mare up` on `manifest`, whose folder and data are below `folder/name`.
pub(crate) async fn start_mare(
    mare: &Path,
    folder: &Path,
    name: &str,
    manifest: &str,
) -> Result<(Process, u16)> {
    let home = folder.join(name);
    create_dir_all(&home)?;
    let file = home.join("bench.toml");
    let named =
        if manifest.contains("[app]") { String::new() } else { "[app]\nname = \"bench\"\n\n".to_owned() };
    write(&file, named + manifest)?;
    let [port, admin] = free_ports()?;
    let mut up = command(mare);
    up.arg("up").arg("-f").arg(&file).arg("--listen").arg(format!("127.0.0.1:{port}"));
    up.arg("--admin").arg(format!("127.0.0.1:{admin}")).arg("--data").arg(home.join("data"));
    let mut process = Process::start(name, up, folder)?;
    process.prints(&format!("http://127.0.0.1:{port}")).await?;
    process.listens(port).await?;
    Ok((process, port))
}

async fn start_upstream(folder: &Path, port: u16) -> Result<Process> {
    let mut own = command(std::env::current_exe()?);
    own.arg("upstream").env("PORT", port.to_string());
    let mut process = Process::start("upstream", own, folder)?;
    process.listens(port).await?;
    Ok(process)
}

async fn start_nginx(folder: &Path, port: u16, upstream: u16, files: &Path) -> Result<Process> {
    let root = folder.display();
    // Started by root, nginx would otherwise become nobody, who may not enter the temporary folder.
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let files = files.display();
    let (zone, hits) = cached::nginx(folder, "canned");
    let config = format!(
        "daemon off;\nworker_processes {WORKERS};\n{user}\npid {root}/nginx.pid;\nerror_log stderr warn;\n\
         events {{ worker_connections 4096; }}\n\
         http {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n  tcp_nodelay on;\n\
         \x20 keepalive_timeout 65s;\n  keepalive_requests 1000000000;\n\
         \x20 open_file_cache max=1000 inactive=60s;\n  open_file_cache_valid 1s;\n\
         \x20 client_body_temp_path {root}/nginx-body;\n  proxy_temp_path {root}/nginx-proxy;\n\
         \x20 fastcgi_temp_path {root}/nginx-fastcgi;\n  uwsgi_temp_path {root}/nginx-uwsgi;\n\
         \x20 scgi_temp_path {root}/nginx-scgi;\n\
{zone}\
         \x20 upstream canned {{\n    server 127.0.0.1:{upstream};\n    keepalive 512;\n\
         \x20   keepalive_requests 1000000000;\n  }}\n\
         \x20 server {{\n    listen 127.0.0.1:{port} reuseport backlog=4096;\n    root {files};\n\
         \x20   location /canned {{\n      proxy_pass http://canned;\n      proxy_http_version 1.1;\n\
         \x20     proxy_set_header Connection \"\";\n      proxy_set_header Host $http_host;\n\
         \x20     proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n\
         \x20     proxy_set_header X-Forwarded-Proto $scheme;\n      proxy_set_header X-Forwarded-Host $http_host;\n\
         \x20     proxy_set_header X-Request-Id $request_id;\n    }}\n{hits}  }}\n}}\n"
    );
    let file = folder.join("nginx.conf");
    write(&file, config)?;
    let mut nginx = command(find("nginx")?);
    nginx.arg("-c").arg(file).arg("-p").arg(folder).arg("-e").arg("stderr");
    let mut process = Process::start("nginx", nginx, folder)?;
    process.listens(port).await?;
    Ok(process)
}

async fn start_haproxy(folder: &Path, port: u16, upstream: u16) -> Result<Process> {
    // Two files for each connection must fit under the usual limit of 20000; much lower and haproxy stops keeping
    // idle connections, for which it spares a quarter of the files (tune.pool-high-fd-ratio).
    let config = format!(
        "global\n  nbthread {WORKERS}\n  maxconn 8000\n\
         defaults\n  mode http\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n\
         \x20 http-reuse always\n  option forwardfor\n\
         frontend public\n  bind 127.0.0.1:{port} backlog 4096\n\
         \x20 unique-id-format %[uuid]\n  unique-id-header X-Request-Id\n\
         \x20 http-request set-header X-Forwarded-Proto http\n\
         \x20 http-request set-header X-Forwarded-Host %[req.hdr(host)]\n  default_backend canned\n\
         backend canned\n  server canned 127.0.0.1:{upstream}\n"
    );
    let file = folder.join("haproxy.cfg");
    write(&file, config)?;
    let mut haproxy = command(find("haproxy")?);
    haproxy.arg("-db").arg("-f").arg(file);
    let mut process = Process::start("haproxy", haproxy, folder)?;
    process.listens(port).await?;
    Ok(process)
}

/// Incompressible, and an hour old: a file written just now is not cached by anybody.
fn write_files(folder: &Path) -> Result<()> {
    create_dir_all(folder)?;
    for workload in [Workload::Static1Kib, Workload::Static100Kib] {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            // xorshift64; any noise will do.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        };
        let content: Vec<u8> = (0..workload.body_len()).map(|_| next()).collect();
        let path = folder.join(workload.path().trim_start_matches('/'));
        write(&path, content)?;
        let an_hour_ago = SystemTime::now() - Duration::from_hours(1);
        File::options().write(true).open(&path)?.set_modified(an_hour_ago)?;
    }
    Ok(())
}

async fn check_answers(subjects: &Subjects) -> Result<()> {
    for workload in Workload::ALL {
        for endpoint in workload.subjects().iter().filter_map(|subject| subjects.endpoint(*subject)) {
            let subject = endpoint.subject;
            let token = subject.wants_token().then_some(&*subjects.token);
            let answer = http::get(endpoint.port, (subject.path(workload), token), workload.body_len()).await;
            answer.with_context(|| format!("{} does not answer rightly", endpoint.subject.label()))?;
        }
    }
    Ok(())
}
