//! The services that alerts are about, in words.

/// Its name, as a sentence begins with it.
pub(super) fn name(name: &str) -> &str {
    match name {
        "app" => "The app",
        "database" => "The database",
        "ai" => "The AI service (OpenAI)",
        "imageProcessing" => "Image processing (Google Vision)",
        "email" => "Email (Resend)",
        "storage" => "Storage (Supabase)",
        other => other,
    }
}

/// Who or what suffers without it.
pub(super) fn consequence(name: &str) -> Option<&'static str> {
    Some(match name {
        "app" => "everybody who uses the app",
        "database" => "everything that reads or writes data",
        "ai" => "recommendations and everything else that asks the model",
        "imageProcessing" => "reading labels from pictures",
        "email" => "emails to users, and alerts by email",
        "storage" => "pictures and other files",
        _ => return None,
    })
}
