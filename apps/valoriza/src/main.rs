//! The `valoriza` command: one binary, several roles.

#![expect(clippy::doc_markdown, reason = "doc comments are what --help prints")]

use clap::{Parser, Subcommand};
use valoriza::config::Config;
use valoriza::{api, evaluation, http, seed, telemetry};

#[derive(Parser)]
#[command(version, about = "Personal and small-business finance for Brazil")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the HTTP API on $HOST:$PORT over $DATABASE_URL (default sqlite:valoriza.db)
    Api,
    /// Handle events pushed to $HOST:$PORT: imports, categories, reports, alerts
    Worker {
        /// Read the outbox instead of listening: for running without a platform
        #[arg(long)]
        poll: bool,
    },
    /// Fill the database with invented data
    Seed(SeedArgs),
    /// Print the OpenAPI document
    Openapi,
    /// The automatic categories
    Categorise {
        #[command(subcommand)]
        what: Categorise,
    },
}

#[derive(Subcommand)]
enum Categorise {
    /// Measure how good they are; prints the tables of docs/evidence/categorisation.md
    Evaluate(EvaluateArgs),
}

#[derive(clap::Args)]
struct EvaluateArgs {
    /// The first of the seeds
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Write everything measured to this file too
    #[arg(long)]
    json: Option<std::path::PathBuf>,
}

#[derive(clap::Args)]
struct SeedArgs {
    /// Make the demonstration family and print its login; does nothing if it is there
    #[arg(long)]
    demo: bool,
    /// How many users to make, each with a tenant of their own; those already there are left as they are
    #[arg(long, default_value_t = 0)]
    users: u32,
    /// How many transactions to make, shared evenly among the users
    #[arg(long, default_value_t = 0)]
    transactions: u32,
    /// How many more that wait for a category, each with its event, shared evenly among the users
    #[arg(long, default_value_t = 0)]
    waiting: u32,
    /// The same seed makes the same data on the same day
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Api => {
            telemetry::init();
            api::run(Config::from_env()?).await
        }
        Command::Worker { poll } => {
            telemetry::init();
            let config = Config::from_env()?;
            if poll { api::run_polling_worker(config).await } else { api::run_worker(config).await }
        }
        Command::Seed(args) => {
            let wanted = seed::Wanted {
                demo: args.demo,
                users: args.users,
                transactions: args.transactions,
                waiting: args.waiting,
                seed: args.seed,
            };
            for line in seed::run(&Config::from_env()?, &wanted).await? {
                println!("{line}");
            }
            Ok(())
        }
        Command::Openapi => {
            println!("{}", http::document().to_pretty_json()?);
            Ok(())
        }
        Command::Categorise { what: Categorise::Evaluate(args) } => {
            print!("{}", evaluation::run(args.seed, args.seeds, args.json.as_deref())?);
            Ok(())
        }
    }
}
