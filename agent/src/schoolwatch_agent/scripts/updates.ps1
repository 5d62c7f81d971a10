# Pending updates from Windows Update's own cache (no traffic), its last successful look, pending restart.
# Titles are not sent, only the ids of the categories, which do not change with the language.
$answer = [ordered]@{}
try {
  $searcher = (New-Object -ComObject Microsoft.Update.Session).CreateUpdateSearcher()
  $searcher.Online = $false
  $answer.pending = @($searcher.Search("IsInstalled=0 and IsHidden=0 and Type='Software'").Updates |
    ForEach-Object { [pscustomobject]@{ categories = @($_.Categories | ForEach-Object { $_.CategoryID }) } })
} catch { $answer.search_error = '{0} 0x{1:x8}' -f $_.Exception.Message, $_.Exception.HResult }
try {
  $looked = (New-Object -ComObject Microsoft.Update.AutoUpdate).Results.LastSearchSuccessDate
  if ($looked) { $answer.last_search = ([datetime]::SpecifyKind($looked, 'Utc')).ToString('o') }
} catch { $answer.last_search = $null }
$keys = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending',
  'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
$answer.reboot = [bool]($keys | Where-Object { Test-Path -LiteralPath $_ })
[pscustomobject]$answer | ConvertTo-Json -Depth 5 -Compress
