mod compose;
mod failing;
mod login;
mod server;
mod template_files;
